//! The user of the connection needs few permissions.

use crate::server::Server;
use crate::store::{Either, some_name};

#[test]
fn five_commands_on_the_keys_of_point_auth_are_enough() {
    let Some(server) = Server::start() else { return };
    let user = ["ACL", "SETUSER", "fleet", "on", ">secret", "~point-auth:*"];
    let commands = ["+eval", "+evalsha", "+get", "+set", "+time"];
    server.command::<()>(&[&user[..], &commands].concat());
    for store in Either::both(&format!("redis://fleet:secret@{}", server.addr())) {
        let name = some_name();
        assert_eq!(store.value(&name), None);
        assert!(store.swapped(&name, None, b"first"));
        assert_eq!(store.value(&name).as_deref(), Some(&b"first"[..]));
    }
    for command in ["-get", "-set", "-time"] {
        server.command::<()>(&["ACL", "SETUSER", "fleet", command]);
        let url = format!("redis://fleet:secret@{}", server.addr());
        for store in Either::both(&url) {
            let error = store.swap(&some_name(), None, b"first", None).err().unwrap();
            let expected = "the user of the connection lacks a permission in redis";
            assert_eq!(error.to_string(), expected, "{command}");
        }
        let back = command.replace('-', "+");
        server.command::<()>(&["ACL", "SETUSER", "fleet", &back]);
    }
}
