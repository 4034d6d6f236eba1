//! The configuration file, the variables and the flags, and which of them counts.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Ended, PASSWORD, World};

#[test]
fn a_flag_goes_before_a_variable_and_a_variable_before_the_file() {
    let world = World::new();
    world.configure("alias = \"of-the-file\"");
    let alias = |arguments: &[&str], variable: Option<&str>| {
        let mut program = world.program(&["status", "--json"]);
        program.args(arguments).envs(variable.map(|value| ("POINT_AUTH_USERALIAS", value)));
        let ended = Ended::of(program.output().unwrap());
        let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        json["user_alias"].as_str().unwrap().to_owned()
    };
    assert_eq!(alias(&[], None), "of-the-file");
    assert_eq!(alias(&[], Some("of-the-variable")), "of-the-variable");
    assert_eq!(alias(&["--alias", "of-the-flag"], Some("of-the-variable")), "of-the-flag");
}

#[test]
fn profiles_have_settings_of_their_own() {
    let world = World::new();
    world.configure("[profiles.other]\nusername = \"other@example.com\"");
    let ended = world.run(&["status", "--profile", "other"]);
    assert!(ended.stdout.contains("other@example.com"), "{ended:?}");
    world.run(&["status", "--profile", "third"]).fails(2, "no such profile");
    let output = world.program(&["status"]).env("POINT_AUTH_PROFILE", "third").output();
    Ended::of(output.unwrap()).fails(2, "has default, other");
}

#[test]
fn what_the_file_may_not_say_is_refused_with_its_line() {
    let world = World::new();
    for (line, why) in [
        ("password = \"cAnArY\"", "config.toml:6: a password may not stand in this file"),
        ("passwort = \"cAnArY\"", "config.toml:6: unknown key `passwort`"),
        ("alias = cAnArY", "config.toml:6: this is not TOML"),
        ("wait = \"cAnArY\"", "config.toml:6: wait: it is no time such as 90s"),
        ("base_url = \"cAnArY\"", "config.toml:6: this is not TOML"),
        ("store.redis_url = \"redis://:cAnArY@h/\"", "config.toml:6: store.redis_url: a password"),
        ("store.redis_url = \"unix:///s?pass=cAnArY\"", "a password may not stand here"),
    ] {
        world.configure(line);
        world.run(&["token"]).fails(2, why);
    }
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let world = World::new();
    let path = world.home.path().join("config/point-auth/config.toml");
    let text = fs::read_to_string(&path).unwrap();
    world.home.write("config/point-auth/config.toml", &text, 0o666);
    world.run(&["token"]).fails(2, "has mode 0666, so that other users may write it");
    world.home.write("config/point-auth/config.toml", &text, 0o644);
    world.run_with(&["token", "--password-stdin"], PASSWORD).succeeds();
}

#[test]
fn an_empty_variable_and_a_missing_file_are_refused() {
    let world = World::new();
    let output = world.program(&["status"]).env("POINT_AUTH_USERALIAS", "").output();
    Ended::of(output.unwrap()).fails(2, "POINT_AUTH_USERALIAS: it is empty");
    world.run(&["status", "--config", "/nowhere"]).fails(2, "/nowhere is missing");
}

/// A Redis of this test.
struct Redis(Child);

impl Drop for Redis {
    fn drop(&mut self) {
        let _is_killed = self.0.kill();
        let _status = self.0.wait();
    }
}

#[test]
fn two_machines_share_their_tokens_in_redis() {
    let (world, other) = (World::new(), World::new());
    let socket = world.home.path().join("redis.sock");
    let server = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--requirepass", "cAnArY@/?:%", "--unixsocket"])
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn();
    let Ok(server) = server else {
        eprintln!("there is no redis-server here");
        return;
    };
    let _server = Redis(server);
    let started = Instant::now();
    while !socket.exists() {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::yield_now();
    }
    let password = world.home.write("redis-password", "cAnArY@/?:%\n", 0o600);
    let key = world.home.write("key", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n", 0o600);
    let store = format!(
        "store.redis_url = \"unix://{}\"\nstore.redis_password_file = \"{}\"",
        socket.display(),
        password.display()
    );
    world.configure(&store);
    world.run(&["token"]).fails(2, "needs a key that all machines share");
    world.configure(&format!("{store}\nstore.key_file = \"{}\"", key.display()));
    let token = world.run_with(&["token", "--password-stdin"], PASSWORD);
    let config = fs::read_to_string(world.home.path().join("config/point-auth/config.toml"));
    other.home.write("config/point-auth/config.toml", &config.unwrap(), 0o600);
    assert_eq!(other.run(&["token"]).succeeds(), token.succeeds());
    assert_eq!(world.emulator.requests().len(), 1);
}
