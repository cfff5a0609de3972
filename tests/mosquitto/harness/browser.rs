//! A real browser, told what to do over its DevTools protocol (`--remote-debugging-pipe`).

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// No browser lives longer, so that no test waits for one for ever.
const LIFE: &str = "40";

/// Headless Chromium with one page. Its calls block. Dropping it ends it.
pub(crate) struct Browser {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    session: Option<String>,
    asked: u64,
    /// What the page broke, or complained of.
    pub(crate) complaints: Vec<String>,
    _profile: TempDir,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The protocol is spoken on the descriptors 3 and 4.
        let script = "exec timeout -k 1 \"$0\" chromium \"$@\" 3<&0 4>&1";
        let mut child = Command::new("sh")
            .args([
                "-c",
                script,
                LIFE,
                "--remote-debugging-pipe",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
            ])
            .args(["--disable-quic", "--no-first-run", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let complaints = Vec::new();
        let mut browser =
            Self { child, commands, answers, session: None, asked: 0, complaints, _profile: profile };
        let target = browser.ask("Target.createTarget", &json!({"url": "about:blank"}))["targetId"].clone();
        let session = browser.ask("Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        browser.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Log", "Runtime", "Audits"] {
            browser.ask(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    pub(crate) fn without_scripts(mut self) -> Self {
        self.ask("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
        self
    }

    pub(crate) fn go_to(&mut self, url: &str) {
        self.ask("Page.navigate", &json!({"url": url}));
    }

    /// Waits until the page, as the browser has it now, satisfies the condition.
    pub(crate) fn until(&mut self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        let mut page = String::new();
        for _ in 0..200 {
            let root = self.ask("DOM.getDocument", &json!({"depth": 0}))["root"]["nodeId"].clone();
            let html = self.ask("DOM.getOuterHTML", &json!({"nodeId": root}))["outerHTML"].clone();
            // A page that is just being replaced has none.
            page = html.as_str().unwrap_or_default().to_owned();
            if condition(&page) {
                return page;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("no {what} in {page}");
    }

    /// The result of one command; `null` if the browser refuses it.
    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.asked += 1;
        let mut command = json!({"id": self.asked, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        self.commands.write_all(format!("{command}\0").as_bytes()).unwrap();
        loop {
            let mut answer = Vec::new();
            self.answers.read_until(0, &mut answer).unwrap();
            assert_eq!(answer.pop(), Some(0), "chromium has ended; is it installed?");
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            if answer["id"] == self.asked {
                return answer["result"].clone();
            }
            let complains = ["Log.entryAdded", "Runtime.exceptionThrown", "Audits.issueAdded"];
            if complains.iter().any(|event| answer["method"] == *event) {
                self.complaints.push(answer["params"].to_string());
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // If it has just ended by itself there is nothing to close.
        let _closed = self.commands.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let _ended = self.child.wait();
    }
}
