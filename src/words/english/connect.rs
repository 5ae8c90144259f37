//! What [Connect] says: what is in the way, and what to change.

use crate::net::{BadCertificate, Trouble, Why};
use crate::office::protocol::{Refused, RefusedFor};
use crate::office::{Enrolment, Failure, Problem};

pub fn problem(problem: &Problem) -> String {
    let fixed = match problem {
        Problem::NoOffice => {
            "This product knows no back office: ask its vendor for a version that is made for your service organisation."
        }
        Problem::NoOrganisation => "The ID of the service organisation is not set: enter it as you were given it.",
        Problem::NoCode => "The verification code is not set: enter it as you were given it.",
        Problem::NoKey => {
            "The key of this installation cannot be stored in the state folder: look whether its disk is full or may not be written."
        }
        Problem::NoLicence => "There is no licence, and without one there is no enrolment: install a licence first.",
        Problem::Interrupted => "It was interrupted before it came to an end: try again.",
        Problem::Failed(failure) => return failed(failure),
        Problem::Refused(refused) => return self::refused(refused),
    };
    fixed.to_owned()
}

pub fn enrolment(state: Enrolment) -> &'static str {
    match state {
        Enrolment::Active | Enrolment::None => "",
        Enrolment::Pending => {
            "Another installation has this serial number: an administrator of the service organisation has to approve this one. Tell them the fingerprint."
        }
        Enrolment::Declined => "An administrator of the service organisation has refused this installation.",
        Enrolment::Superseded => "Another installation has taken the place of this one.",
        Enrolment::Revoked => "The service organisation has revoked the key of this installation.",
    }
}

fn failed(failure: &Failure) -> String {
    match failure {
        Failure::Net(Trouble { why, .. }) => network(why),
        Failure::NotOurs { status: 500.., .. } => {
            "The server of the back office, or one in front of it, is in trouble: try again later.".to_owned()
        }
        Failure::NotOurs { status, title, location, .. } => {
            let title = title.as_ref().map(|title| format!(" with the title \"{title}\"")).unwrap_or_default();
            let to = location.as_ref().map(|to| format!(", pointing to {to}")).unwrap_or_default();
            format!(
                "Not the back office answered, but a proxy or log-in page{title} (status {status}{to}): let this computer through without logging in."
            )
        }
        Failure::Untrusted(untrusted) => format!(
            "What came back cannot be trusted: {untrusted}. If the product is up to date, tell its vendor at once."
        ),
        Failure::Unreadable(_) => {
            "The back office answered in a way that this version does not understand: update the product.".to_owned()
        }
    }
}

fn network(why: &Why) -> String {
    match why {
        Why::Stopped => problem(&Problem::Interrupted),
        Why::NoSuchName { host, .. } => format!(
            "The name {host} is not known: look at the DNS settings of this computer, and whether it may resolve names of the internet."
        ),
        Why::DnsSilent { host } => format!(
            "No name server told the address of {host}: look at the network connection and the DNS settings of this computer."
        ),
        Why::Refused { address } => {
            format!("Nothing listens at {address}: look whether a firewall rejects connections to it.")
        }
        Why::ConnectTimedOut { address } => {
            format!("{address} does not answer: let connections to it through the firewall.")
        }
        Why::Unreachable { address, detail } => {
            format!("{address} cannot be reached ({detail}): look at the network connection of this computer.")
        }
        Why::CaFile { path, detail } => format!(
            "The file of trusted certificates {path}, which belongs to the product, cannot be used ({detail}): repair the installation of the product."
        ),
        Why::Certificate { host, issuer, bad, detail } => certificate(host, issuer, *bad, detail),
        Why::TlsFailed { detail } => format!(
            "No encrypted connection was possible ({detail}): look whether a firewall or proxy lets encrypted connections through."
        ),
        Why::TlsTimedOut => {
            "The encrypted connection was not answered: look whether a firewall or proxy lets encrypted connections through."
                .to_owned()
        }
        Why::Cut => {
            "The connection was cut before there was an answer: look whether a firewall or proxy cuts it, and try again."
                .to_owned()
        }
        Why::Silent | Why::Slow => {
            "The answer did not come in time: look whether a firewall or proxy holds it up, and try again.".to_owned()
        }
        Why::TooLarge | Why::NotHttp { .. } => {
            "What answered is not the back office: look whether a proxy or another server is at this address.".to_owned()
        }
    }
}

fn certificate(host: &str, issuer: &str, bad: BadCertificate, detail: &str) -> String {
    let issuer = if issuer.is_empty() { "an unnamed issuer" } else { issuer };
    match bad {
        BadCertificate::Issuer => format!(
            "The certificate for {host} was issued by {issuer}, whom this computer does not trust: if that is your own proxy, which looks into encrypted connections, let its root certificate be trusted on this computer."
        ),
        BadCertificate::Expired | BadCertificate::NotYetValid => format!(
            "The certificate for {host}, issued by {issuer}, is not valid at the time that this computer shows: look at its clock."
        ),
        BadCertificate::Name => format!(
            "The certificate that was shown, issued by {issuer}, is not for {host}: look whether a proxy or another server is at this address."
        ),
        BadCertificate::Revoked | BadCertificate::Other => {
            format!("The certificate for {host}, issued by {issuer}, is not good ({detail}): tell your service organisation.")
        }
    }
}

fn refused(refused: &Refused) -> String {
    let fixed = match refused.reason {
        RefusedFor::Code => {
            "The ID or the verification code is not right: enter both again as your service organisation gave them to you."
        }
        RefusedFor::Throttled => "There were too many wrong codes: wait a quarter of an hour, then try again.",
        RefusedFor::Licence => {
            "The licence of this installation does not prove its serial number to the back office: ask your vendor for a new licence."
        }
        RefusedFor::Declined => enrolment(Enrolment::Declined),
        RefusedFor::Superseded => enrolment(Enrolment::Superseded),
        RefusedFor::Revoked => enrolment(Enrolment::Revoked),
        RefusedFor::Pending => enrolment(Enrolment::Pending),
        RefusedFor::UnknownKey => "The back office does not know this installation: try again.",
        RefusedFor::Clock | RefusedFor::Nonce => {
            "The back office finds the time of this computer wrong, also after it was corrected: look at its clock, and try again."
        }
        RefusedFor::Request => {
            return format!(
                "The back office cannot read what this version of the product says ({}): update the product.",
                refused.detail
            );
        }
    };
    match refused.reason {
        RefusedFor::Declined | RefusedFor::Superseded | RefusedFor::Revoked => {
            format!("{fixed} Ask your service organisation, then press Connect again.")
        }
        _ => fixed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licence::{Reason, Refusal};
    use crate::net::Step;
    use crate::office::protocol::Untrusted;

    #[test]
    fn every_problem_is_a_sentence_that_says_what_to_do() {
        let text = || "words".to_owned();
        let mut problems = vec![
            Problem::NoOffice,
            Problem::NoOrganisation,
            Problem::NoCode,
            Problem::NoKey,
            Problem::NoLicence,
            Problem::Interrupted,
            Problem::Failed(Failure::Untrusted(Untrusted::Nonce)),
            Problem::Failed(Failure::Unreadable(Refusal::new(Reason::Format, "x"))),
        ];
        for status in [200, 302, 500] {
            let failure = Failure::NotOurs { status, title: Some(text()), location: Some(text()), retry_after: None };
            problems.push(Problem::Failed(failure));
        }
        use BadCertificate::{Expired, Issuer, Name, NotYetValid, Other, Revoked};
        let certificates = [Issuer, Expired, NotYetValid, Name, Revoked, Other]
            .map(|bad| Why::Certificate { host: text(), issuer: String::new(), bad, detail: text() });
        let others = [
            Why::Stopped,
            Why::NoSuchName { host: text(), detail: text() },
            Why::DnsSilent { host: text() },
            Why::Refused { address: text() },
            Why::Unreachable { address: text(), detail: text() },
            Why::ConnectTimedOut { address: text() },
            Why::CaFile { path: text(), detail: text() },
            Why::TlsFailed { detail: text() },
            Why::TlsTimedOut,
            Why::Cut,
            Why::Silent,
            Why::Slow,
            Why::TooLarge,
            Why::NotHttp { detail: text() },
        ];
        for why in certificates.into_iter().chain(others) {
            problems.push(Problem::Failed(Failure::Net(Trouble { step: Step::Http, why, sent: true, kept: false })));
        }
        for (reason, _) in RefusedFor::ALL {
            problems.push(Problem::Refused(Refused { reason, detail: text() }));
        }
        for one in problems {
            let sentence = problem(&one);
            assert!(sentence.ends_with('.') && sentence.len() < 400, "{one:?}: {sentence}");
            assert!(sentence.contains([':', '.']) && sentence.contains(' '), "{one:?}: {sentence}");
        }
    }
}
