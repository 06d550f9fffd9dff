//! Who looks, by the label of his window: from the page's first word until the window is gone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tulou_client::{Client, Error, Viewer};

/// The viewers of all windows.
#[derive(Default)]
pub struct Viewers(Mutex<HashMap<String, Option<Arc<Viewer>>>>);

impl Viewers {
    /// A page begins in a window. Whatever one before it showed there is not on the screen any more.
    pub fn begin(&self, label: &str) {
        self.held().insert(label.to_owned(), None);
    }

    /// A window is gone, and everything that it showed.
    pub fn end(&self, label: &str) {
        self.held().remove(label);
    }

    /// All windows are gone.
    pub fn end_all(&self) {
        self.held().clear();
    }

    /// Who looks in a window.
    ///
    /// # Errors
    /// `not_found` if it is gone: what its page still asked for is shown nowhere.
    pub fn of(&self, label: &str, client: &Client) -> Result<Arc<Viewer>, Error> {
        let mut held = self.held();
        let viewer = held.get_mut(label).ok_or(Error::NotFound("the window"))?;
        let viewer = viewer.get_or_insert_with(|| Arc::new(client.viewer()));
        Ok(Arc::clone(viewer))
    }

    /// A panic while it was held leaves it whole: it is changed in one step.
    fn held(&self) -> MutexGuard<'_, HashMap<String, Option<Arc<Viewer>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tulou_client::InMemory;

    use super::*;

    #[tokio::test]
    async fn a_viewer_goes_with_its_page_and_with_its_window() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Arc::new(InMemory::default());
        let client = Client::open(folder.path().to_owned(), secrets)
            .await
            .unwrap();
        let viewers = Viewers::default();
        assert!(viewers.of("main", &client).is_err(), "no page has begun");
        viewers.begin("main");
        viewers.begin("other");
        let looks = |label: &str| viewers.of(label, &client).map(|it| Arc::downgrade(&it));
        let first = looks("main").unwrap();
        let other = looks("other").unwrap();
        assert!(
            first.ptr_eq(&looks("main").unwrap()) && !first.ptr_eq(&other),
            "one for each window"
        );
        viewers.begin("main");
        assert!(first.upgrade().is_none(), "the page was loaded again");
        let second = looks("main").unwrap();
        viewers.end("main");
        assert!(second.upgrade().is_none(), "the window is gone");
        assert!(
            looks("main").is_err(),
            "what its page still asks for brings it back to no screen"
        );
        assert!(other.upgrade().is_some(), "the other one stays");
    }
}
