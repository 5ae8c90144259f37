use super::*;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Instant;

/// Short, so that a test that waits for one of them is over soon.
const LIMITS: Limits =
    Limits { connect: Duration::from_secs(5), answer: Duration::from_millis(600), body: Duration::from_millis(600) };
const PATIENT: Limits =
    Limits { connect: Duration::from_secs(5), answer: Duration::from_secs(60), body: Duration::from_secs(60) };

/// A server that reads one request after the other and does with each connection what it is told. Returns its address and a channel
/// with the number of connections so far, for each request.
fn serve(answer: impl Fn(&mut TcpStream) -> bool + Send + 'static) -> (String, mpsc::Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/agent/v1/check", listener.local_addr().unwrap());
    let (told, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for (connection, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            while read_request(&mut stream) {
                if told.send(connection + 1).is_err() || !answer(&mut stream) {
                    break;
                }
            }
        }
    });
    (url, requests)
}

/// Reads a whole request; `false` when the other end has closed.
fn read_request(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => seen.push(byte[0]),
            _ => return false,
        }
    }
    let head = String::from_utf8(seen).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).is_ok()
}

fn client() -> Http {
    Http::new(Arc::default(), Arc::new(Trust::new(None, Arc::new(|| 0))))
}

fn post(client: &Http, url: &str, limits: Limits) -> Result<Reply, Trouble> {
    client.post(url, "text/plain", b"a question", limits, None)
}

#[test]
fn a_connection_is_kept_and_its_steps_are_told_once() {
    let (url, requests) = serve(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nRetry-After: 7\r\nContent-Length: 3\r\n\r\nyes").unwrap();
        true
    });
    let client = client();
    let told = Arc::new(Mutex::new(Vec::new()));
    for round in 0..3 {
        let keep = told.clone();
        let watch: Arc<Watch> = Arc::new(move |progress| keep.lock().unwrap().push(progress));
        let reply = client.post(&url, "text/plain", b"a question", PATIENT, Some(watch)).unwrap();
        assert_eq!((reply.status, reply.body.as_slice(), reply.retry_after), (200, &b"yes"[..], Some(7)));
        assert_eq!(requests.recv().unwrap(), 1, "round {round}: the same connection");
    }
    use super::super::trouble::Progress::{Began, Ended};
    let first = [
        Began(Step::Dns),
        Ended(Step::Dns, None),
        Began(Step::Connect),
        Ended(Step::Connect, None),
        Began(Step::Http),
        Began(Step::Http),
        Began(Step::Http),
    ];
    assert_eq!(*told.lock().unwrap(), first);
}

#[test]
fn a_kept_connection_that_was_closed_meanwhile_is_replaced() {
    let (url, requests) = serve(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nyes").unwrap();
        false
    });
    let client = client();
    // "yes" is one byte longer than announced: nobody may take that byte for the beginning of the next answer.
    for connection in 1..=3 {
        assert_eq!(post(&client, &url, PATIENT).unwrap().body, b"ye");
        assert_eq!(requests.recv().unwrap(), connection);
    }
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let (url, requests) = serve(|stream| {
        let head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/login\r\nContent-Length: 2\r\n\r\nno";
        stream.write_all(head).unwrap();
        true
    });
    let reply = post(&client(), &url, PATIENT).unwrap();
    assert_eq!((reply.status, reply.location.as_deref()), (302, Some("http://127.0.0.1:1/login")));
    assert_eq!(requests.iter().take(1).count(), 1);
}

/// What a client makes of a server that does `what` with each request.
fn against(what: impl Fn(&mut TcpStream) -> bool + Send + 'static) -> Trouble {
    let (url, _requests) = serve(what);
    let began = Instant::now();
    let trouble = post(&client(), &url, LIMITS).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?} after {:?}", trouble, began.elapsed());
    trouble
}

#[test]
fn an_answer_that_has_no_end_is_too_large() {
    let trouble = against(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[b'x'; 65_536]).is_ok() {}
        false
    });
    assert_eq!(trouble.why, Why::TooLarge);
    let announced = against(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat();
        while stream.write_all(&chunk).is_ok() {}
        false
    });
    assert_eq!(announced.why, Why::TooLarge);
}

#[test]
fn a_head_that_has_no_end_is_given_up() {
    let trouble = against(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-More: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n").is_ok() {}
        false
    });
    assert!(matches!(trouble.why, Why::TooLarge | Why::NotHttp { .. }), "{trouble:?}");
    let one_line = against(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ");
        while stream.write_all(&[b'x'; 4_096]).is_ok() {}
        false
    });
    assert!(matches!(one_line.why, Why::TooLarge | Why::NotHttp { .. }), "{one_line:?}");
}

/// Ten bytes a second, to be as far over the limits as one byte is over the real ones.
fn dribble(stream: &mut TcpStream, head: &[u8]) {
    let _ = stream.write_all(head);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(8) && stream.write_all(b"x").is_ok() {
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_answer_that_comes_byte_by_byte_is_cut_at_its_time() {
    let body = against(|stream| {
        dribble(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
        false
    });
    assert_eq!(body.why, Why::Slow);
    let head = against(|stream| {
        dribble(stream, b"HTTP/1.1 200 OK\r\nX: ");
        false
    });
    assert_eq!(head.why, Why::Slow);
}

#[test]
fn silence_a_cut_and_noise_are_told_apart() {
    let silent = against(|stream| {
        let _ = stream.read(&mut [0]);
        false
    });
    assert_eq!((silent.why, silent.sent, silent.kept), (Why::Silent, true, false));
    assert_eq!(against(|_| false).why, Why::Cut);
    let half = against(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf");
        false
    });
    assert_eq!(half.why, Why::Cut);
    for noise in [&b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01\x00", b"HTTP/1.1 99999 x\r\n\r\n"] {
        let trouble = against(move |stream| {
            let _ = stream.write_all(noise);
            false
        });
        assert!(matches!(trouble.why, Why::NotHttp { .. } | Why::Cut), "{noise:?}: {trouble:?}");
    }
}

#[test]
fn nobody_there_is_told_with_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let trouble = post(&client(), &format!("http://{address}/"), LIMITS).unwrap_err();
    let expected = Trouble { step: Step::Connect, why: Why::Refused { address }, sent: false, kept: false };
    assert_eq!(trouble, expected);
}

#[test]
fn a_parked_request_ends_within_a_tenth_of_a_second_and_nothing_begins_any_more() {
    let (url, requests) = serve(|stream| {
        let _ = stream.read(&mut [0]);
        false
    });
    let client = Arc::new(client());
    let (done, ended) = mpsc::channel();
    let (inside, to) = (client.clone(), url.clone());
    std::thread::spawn(move || done.send(post(&inside, &to, PATIENT)));
    requests.recv().unwrap();
    let began = Instant::now();
    client.stop().stop();
    let trouble = ended.recv().unwrap().unwrap_err();
    assert_eq!(trouble.why, Why::Stopped);
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    assert_eq!(post(&client, &url, PATIENT).unwrap_err().why, Why::Stopped);
    assert!(requests.recv_timeout(Duration::from_millis(100)).is_err(), "nothing is sent any more");
}
