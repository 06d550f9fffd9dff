//! What the window shows of a hosted server whenever it is told to look.

use std::sync::{Mutex, OnceLock};

use super::{
    tests::{begun, break_a_part_of},
    *,
};

/// A window that looks each time.
#[derive(Default)]
struct Window {
    hosting: OnceLock<Hosting>,
    seen: Mutex<Vec<Option<HostingView>>>,
}

impl Window {
    fn of(folder: PathBuf) -> Arc<Self> {
        let window = Arc::new(Self::default());
        let looks = Arc::downgrade(&window);
        let on_change = Arc::new(move || {
            if let Some(window) = looks.upgrade()
                && let Some(hosting) = window.hosting.get()
            {
                window.seen.lock().unwrap().push(hosting.view(None));
            }
        });
        let hosting = Hosting {
            well_after: Duration::ZERO,
            ..Hosting::in_folder(folder, on_change)
        };
        assert!(window.hosting.set(hosting).is_ok());
        window
    }

    fn hosting(&self) -> &Hosting {
        self.hosting.get().unwrap()
    }

    /// What was seen since the last time; it must have begun with a server that starts.
    fn saw_it_start(&self) {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        let first = seen.first().expect("it was told to look");
        let view = first.as_ref().expect("there is a server");
        assert!(view.is_starting, "it is looked through: {view:?}");
        assert_eq!(view.failure, None, "as far as is known");
        assert_eq!(view.addresses, [], "nobody reaches it yet");
    }
}

#[tokio::test]
async fn a_server_that_begins_again_is_said_to_start_while_it_is_looked_through() {
    let folder = tempfile::tempdir().unwrap();
    begun(&folder).await.end().await;
    let data = folder.path().join("server");
    let window = Window::of(data.clone());
    let hosting = window.hosting();
    hosting.resume().await.unwrap();
    window.saw_it_start();

    break_a_part_of(hosting).await;
    window.saw_it_start();
    assert!(!hosting.view(None).unwrap().is_starting, "it runs again");

    hosting
        .let_others(false, Some("house.example.org"), false)
        .await
        .unwrap();
    window.saw_it_start();
    hosting.end().await;

    // It failed, and the person begins to host.
    let key = data.join("server-key.pem");
    let kept = std::fs::read(&key).unwrap();
    std::fs::write(&key, "damaged").unwrap();
    hosting.resume().await.unwrap_err();
    assert!(hosting.view(None).unwrap().failure.is_some());
    window.seen.lock().unwrap().clear();
    std::fs::write(&key, kept).unwrap();
    hosting.begin("A house", false).await.unwrap();
    window.saw_it_start();
    hosting.end().await;
}

#[tokio::test]
async fn a_server_that_never_ran_is_not_said_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("server");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("server-key.pem"), "damaged").unwrap();
    let window = Window::of(data);
    let begun = window.hosting().begin("A house", false).await;
    assert_eq!(begun.unwrap_err().code, "host_failed");
    assert_eq!(window.hosting().view(None), None, "nothing is hosted here");
    assert!(window.seen.lock().unwrap().iter().all(Option::is_none));
}
