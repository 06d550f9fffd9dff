//! The controller: what happens between the client and the native window.
//!
//! It knows the window only as a [`Shell`], so that it is tested without one.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tulou_client::view::{Badge, Change};

/// What the native window can do.
pub trait Shell: Send + Sync + 'static {
    /// Sets the title; a window that is not there ignores it.
    fn set_title(&self, title: &str);
    /// Shows the window and gives it the focus; makes it when there is none.
    fn show(&self);
    /// Destroys the window, if there is one.
    fn close(&self);
    /// Opens an address in the person's browser or mail program.
    fn open(&self, url: &str) -> Result<(), String>;
    /// Shows a folder in the person's file manager.
    fn open_folder(&self, folder: &Path) -> Result<(), String>;
}

/// Takes a batch of changes to the web view; false when nobody is there any more.
pub type Sink = Box<dyn Fn(Vec<Change>) -> bool + Send>;

/// Between the client and the native window.
pub struct Controller {
    shell: Box<dyn Shell>,
    /// The web view that looks; none while the window is closed.
    sink: Mutex<Option<Sink>>,
    /// What the title says, so that it is set only when that changes.
    title: Mutex<String>,
}

impl Controller {
    /// A controller of one window.
    pub fn new(shell: impl Shell) -> Arc<Self> {
        Arc::new(Self {
            shell: Box::new(shell),
            sink: Mutex::new(None),
            title: Mutex::new(String::new()),
        })
    }

    /// Shows the window: at the start, and when Tulou is started a second time.
    pub fn show(&self) {
        self.shell.show();
        // A new window starts with its own title.
        let title = std::mem::take(&mut *lock(&self.title));
        self.title_is(title);
    }

    /// Closes the window and forgets who listened in it. The client goes on.
    pub fn close(&self) {
        *lock(&self.sink) = None;
        self.shell.close();
    }

    /// From here on changes go to `sink`; who listened before hears nothing more.
    pub fn subscribe(&self, sink: Sink) {
        *lock(&self.sink) = Some(sink);
    }

    /// Opens an address that stands in a message. Anything but the web and mail is refused: a message must not be
    /// able to start programs.
    pub fn open(&self, url: &str) -> Result<(), OpenError> {
        let is_harmless = ["https://", "http://", "mailto:"].iter().any(|scheme| {
            url.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        if !is_harmless || url.chars().any(char::is_control) {
            return Err(OpenError::Scheme);
        }
        self.shell.open(url).map_err(OpenError::System)
    }

    /// Shows one of the program's own folders.
    pub fn open_folder(&self, folder: &Path) -> Result<(), OpenError> {
        self.shell.open_folder(folder).map_err(OpenError::System)
    }

    /// Hands a batch of changes to the web view that looks.
    pub fn tell(&self, batch: Vec<Change>) {
        let mut sink = lock(&self.sink);
        if sink.as_ref().is_some_and(|sink| !sink(batch)) {
            *sink = None;
        }
    }

    /// The app's number is `badge`: it goes into the title.
    pub fn badge_is(&self, badge: Badge) {
        self.title_is(title_of(badge));
    }

    fn title_is(&self, title: String) {
        let mut last = lock(&self.title);
        if *last != title && !title.is_empty() {
            self.shell.set_title(&title);
            *last = title;
        }
    }
}

/// Why an address was not opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It leads neither to the web nor to a mail address.
    #[error("only addresses of the web and of mail are opened")]
    Scheme,
    /// The system knows no program for it, or that did not start.
    #[error("the system could not open it: {0}")]
    System(String),
}

/// The title: the number of what is unread, or a dot, then the name.
fn title_of(badge: Badge) -> String {
    match badge {
        Badge { unread: 1.., .. } => format!("({}) Tulou", badge.unread),
        Badge { mentions: 1.., .. } => format!("({}) Tulou", badge.mentions),
        Badge { has_dot: true, .. } => "• Tulou".to_owned(),
        Badge { .. } => "Tulou".to_owned(),
    }
}

/// A panic while a value was held leaves it whole: each is replaced in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A window that writes down what it is asked.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<String>>>);

    impl Paper {
        fn write(&self, line: String) {
            lock(&self.0).push(line);
        }

        fn lines(&self) -> Vec<String> {
            lock(&self.0).clone()
        }
    }

    impl Shell for Paper {
        fn set_title(&self, title: &str) {
            self.write(format!("title {title}"));
        }

        fn show(&self) {
            self.write("show".to_owned());
        }

        fn close(&self) {
            self.write("close".to_owned());
        }

        fn open(&self, url: &str) -> Result<(), String> {
            self.write(format!("open {url}"));
            Ok(())
        }

        fn open_folder(&self, folder: &Path) -> Result<(), String> {
            self.write(format!("folder {}", folder.display()));
            Ok(())
        }
    }

    fn tree(community: &str) -> Change {
        Change::Tree {
            account: "s.alice".into(),
            community: community.into(),
        }
    }

    fn listening(controller: &Controller) -> mpsc::Receiver<Vec<Change>> {
        let (send, receive) = mpsc::channel();
        controller.subscribe(Box::new(move |batch| send.send(batch).is_ok()));
        receive
    }

    fn unread(unread: u32) -> Badge {
        Badge {
            unread,
            ..Badge::default()
        }
    }

    #[test]
    fn the_title_follows_the_badge_and_is_set_only_when_it_differs() {
        let paper = Paper::default();
        let controller = Controller::new(paper.clone());
        for number in [0, 3, 3, 0] {
            controller.badge_is(unread(number));
        }
        assert_eq!(
            paper.lines(),
            ["title Tulou", "title (3) Tulou", "title Tulou"]
        );
    }

    #[test]
    fn a_web_view_that_is_gone_is_forgotten_and_a_new_one_listens() {
        let controller = Controller::new(Paper::default());
        drop(listening(&controller));
        controller.tell(vec![tree("a")]);
        assert!(
            lock(&controller.sink).is_none(),
            "nobody takes what is told"
        );
        let heard = listening(&controller);
        controller.tell(vec![tree("b")]);
        assert_eq!(heard.try_recv(), Ok(vec![tree("b")]));
    }

    #[test]
    fn a_window_that_comes_back_gets_its_title_again() {
        let paper = Paper::default();
        let controller = Controller::new(paper.clone());
        controller.badge_is(unread(2));
        controller.show();
        assert_eq!(
            paper.lines(),
            ["title (2) Tulou", "show", "title (2) Tulou"]
        );
    }

    #[test]
    fn a_closed_window_hears_nothing_more() {
        let paper = Paper::default();
        let controller = Controller::new(paper.clone());
        let heard = listening(&controller);
        controller.close();
        controller.tell(vec![tree("a")]);
        assert!(heard.try_recv().is_err(), "its web view is gone");
        assert_eq!(paper.lines(), ["close"]);
    }

    #[test]
    fn a_message_cannot_start_programs() {
        let paper = Paper::default();
        let controller = Controller::new(paper.clone());
        for url in [
            "https://example.org/a",
            "HTTP://example.org",
            "mailto:a@example.org",
        ] {
            assert_eq!(controller.open(url), Ok(()), "{url} is harmless");
        }
        for url in [
            "file:///etc/passwd",
            "javascript:1",
            "ssh://x",
            "",
            "https:",
            "http://a\nb",
            "土",
        ] {
            assert_eq!(
                controller.open(url),
                Err(OpenError::Scheme),
                "{url:?} is refused"
            );
        }
        assert_eq!(
            paper.lines().len(),
            3,
            "the system heard of the harmless ones alone"
        );
    }

    #[test]
    fn a_number_goes_before_a_dot() {
        let mut badge = unread(3);
        badge.has_dot = true;
        assert_eq!(title_of(badge), "(3) Tulou");
        badge.unread = 0;
        assert_eq!(title_of(badge), "• Tulou");
        badge.mentions = 2;
        assert_eq!(title_of(badge), "(2) Tulou");
        assert_eq!(title_of(Badge::default()), "Tulou");
    }
}
