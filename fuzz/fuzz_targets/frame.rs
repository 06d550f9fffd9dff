//! Frames of either side: whatever comes is read or refused, and what was read means the same after it was written again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tulou_protocol::{ClientFrame, ServerFrame};

fuzz_target!(|text: &str| {
    if let Ok(requests) = ClientFrame::parse(text) {
        for request in requests.into_iter().flatten() {
            let frame = ClientFrame(vec![request.clone()]);
            let written = frame.to_text().expect("a request can be written");
            let again = ClientFrame::parse(&written).expect("what was written is read");
            assert_eq!(again, [Ok(request)], "{written}");
        }
    }
    if let Ok(frame) = ServerFrame::parse(text) {
        let written = frame.to_text().expect("a frame can be written");
        let again = ServerFrame::parse(&written).expect("what was written is read");
        // Fractions of fields that this version does not know may be rounded once.
        if !written.contains(['.', 'e', 'E']) {
            assert_eq!(again, frame, "{written}");
        }
    }
});
