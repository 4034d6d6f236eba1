//! The device, over plain sockets and over rustls.

mod conformance;
mod framing;
mod memory;

use point_auth::transport::SettingsError;
use point_auth_examples::connections::RustlsSockets;
use point_auth_examples::device::Device;
use point_auth_testkit::conformance::Setup;

fn over_rustls(setup: &Setup) -> Result<Device<RustlsSockets>, SettingsError> {
    RustlsSockets::new(setup.settings().tls()).map(Device::new)
}
