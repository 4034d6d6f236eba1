//! Clients of other projects: curl, Python's requests, node's fetch, Java's client, and nginx
//! in front. A missing one is reported and skipped.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::{Answer, KEY, Raw, World};

/// Runs a program to its end, and returns what it prints; `None` without the program.
async fn run<A: AsRef<OsStr>>(program: &str, arguments: &[A]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    match output {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
            Some(text)
        }
        Err(error) => {
            eprintln!("skipped: {program}: {error}");
            None
        }
    }
}

fn url(world: &World) -> String {
    format!("http://{}/point-auth-emulator/whoami", world.served.address)
}

fn key() -> String {
    format!("Point-Auth-Client-Key: {KEY}")
}

#[tokio::test]
async fn curl_gets_through_over_http_1_and_http_2() {
    let world = World::new();
    for version in ["--http1.0", "--http1.1", "--http2", "--http2-prior-knowledge"] {
        let (url, key) = (url(&world), key());
        let arguments = ["-sS", "-m", "60", version, "-H", &key, "-d", "{}", &url];
        let Some(text) = run("curl", &arguments).await else { return };
        assert!(text.contains("user@example.com"), "{version}: {text}");
    }
}

#[tokio::test]
async fn curl_sends_and_gets_a_large_file() {
    let world = World::new();
    let size = 900 * 1024;
    let file = std::env::temp_dir().join(format!("point-auth-large-{}", std::process::id()));
    fs::write(&file, vec![b'x'; size]).unwrap();
    let data = format!("@{}", file.display());
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let (url, key) = (format!("http://{}/loans", world.served.address), key());
        let arguments = ["-sS", "-m", "60", version, "-H", &key, "--data-binary", &data, &url];
        let Some(text) = run("curl", &arguments).await else { break };
        assert_eq!(text, "from the API");
        assert_eq!(world.emulator.requests().last().unwrap().body().len(), size);
    }
    fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn pythons_requests_gets_through() {
    let world = World::new();
    if run("python3", &["-c", "import sys, importlib.util as u; sys.exit(0)"]).await.is_none() {
        return;
    }
    let program = format!(
        "try:\n import requests\nexcept ImportError:\n print('missing')\nelse:\n \
         s = requests.Session()\n s.headers['Point-Auth-Client-Key'] = '{KEY}'\n \
         print([s.post('{}', json={{}}).json()['username'] for _ in range(3)])",
        url(&world)
    );
    let text = run("python3", &["-c", &program]).await.unwrap();
    if text.trim() == "missing" {
        eprintln!("skipped: Python has no requests");
        return;
    }
    assert_eq!(text.matches("user@example.com").count(), 3, "{text}");
}

#[tokio::test]
async fn nodes_fetch_gets_through() {
    let world = World::new();
    let program = format!(
        "const headers = {{'Point-Auth-Client-Key': '{KEY}'}};\
         (async () => {{ for (let i = 0; i < 3; i++) {{\
         const r = await fetch('{}', {{method: 'POST', headers, body: '{{}}'}});\
         console.log(r.status, await r.text()); }} }})()",
        url(&world)
    );
    let Some(text) = run("node", &["-e", &program]).await else { return };
    assert_eq!(text.matches("user@example.com").count(), 3, "{text}");
}

#[tokio::test]
async fn javas_client_gets_through_with_its_offer_of_http_2() {
    let world = World::new();
    let folder = std::env::temp_dir().join(format!("point-auth-java-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let program = format!(
        "import java.net.URI; import java.net.http.*;\n\
         class Main {{ public static void main(String[] a) throws Exception {{\n\
         var client = HttpClient.newHttpClient();\n\
         for (int i = 0; i < 2; i++) {{\n\
         var request = HttpRequest.newBuilder(URI.create(\"{}\"))\n\
         .header(\"Point-Auth-Client-Key\", \"{KEY}\")\n\
         .POST(HttpRequest.BodyPublishers.ofString(\"{{}}\")).build();\n\
         System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).body());\n\
         }} }} }}",
        url(&world)
    );
    let file = folder.join("Main.java");
    fs::write(&file, program).unwrap();
    let ran = run("java", &[file.as_os_str()]).await;
    fs::remove_dir_all(&folder).unwrap();
    let Some(text) = ran else { return };
    assert_eq!(text.matches("user@example.com").count(), 2, "{text}");
}

/// nginx, until it drops.
struct Nginx {
    child: std::process::Child,
    folder: PathBuf,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A killed one would leave its workers behind.
        let id = self.child.id().to_string();
        drop(Command::new("kill").args(["-s", "TERM", &id]).status());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn nginx(port: u16, upstream: &str) -> Option<Nginx> {
    let program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];
    let Some(program) = program.iter().find(|program| fs::metadata(program).is_ok()) else {
        eprintln!("skipped: nginx is not here");
        return None;
    };
    let folder = std::env::temp_dir().join(format!("point-auth-front-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "daemon off; pid pid; worker_processes 1; error_log stderr;\n\
         events {{ worker_connections 64; }}\n\
         http {{ access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f;\n\
         uwsgi_temp_path u; scgi_temp_path s;\n\
         server {{ listen 127.0.0.1:{port}; location / {{\n\
         proxy_pass http://{upstream}; proxy_http_version 1.1;\n\
         proxy_set_header Point-Auth-Client-Key {KEY}; }} }} }}"
    );
    fs::write(folder.join("nginx.conf"), config).unwrap();
    let child = Command::new(program)
        .arg("-p")
        .arg(&folder)
        .args(["-c", "nginx.conf", "-e", "stderr"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Some(Nginx { child, folder })
}

#[tokio::test]
async fn nginx_in_front_gets_through() {
    let world = World::new();
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = reserved.local_addr().unwrap();
    drop(reserved);
    let Some(mut nginx) = nginx(front.port(), &world.served.address.to_string()) else { return };
    let mut pace = tokio::time::interval(std::time::Duration::from_millis(20));
    while tokio::net::TcpStream::connect(front).await.is_err() {
        assert!(nginx.child.try_wait().unwrap().is_none(), "nginx has ended");
        pace.tick().await;
    }
    let mut raw = Raw::connect(front).await;
    for _ in 0..3 {
        raw.write("POST /loans HTTP/1.1\r\nHost: front\r\nContent-Length: 4\r\n\r\ndata").await;
        let Answer { status, body, .. } = raw.answer().await;
        assert_eq!((status, body.as_str()), (200, "from the API"));
    }
    assert_eq!(world.emulator.requests().last().unwrap().body().as_ref(), b"data");
}
