//! Lines of real conversation, from the corpus beside the checkout where there is one.

use std::{fs, path::Path};

/// Lines used when the corpus is not there: enough scripts and shapes to find the same faults.
const SPARE: [&str; 8] = [
    "今晚九点开始，还缺两个人，有空的回一下。",
    "Bring the second map, the first one is out of date.",
    "集合場所はいつもの広場でいいですか？",
    "오늘은 조금 늦을 것 같아요, 먼저 시작하세요.",
    "**记得** 看一下公告，`v2` 的规则变了",
    "Is anybody else seeing *two* gates on the north side?",
    "了解です。十分後に着きます！",
    "좋아요 🙂 그럼 이따 봐요",
];

/// `count` lines, Chinese, English, Japanese and Korean in turn, each different.
pub fn lines(count: usize) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let languages: Vec<Vec<String>> = ["zh", "en", "ja", "ko"]
        .iter()
        .filter_map(|language| fs::read_to_string(folder.join(format!("{language}.txt"))).ok())
        .map(|text| {
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect()
        })
        .collect();
    (0..count)
        .map(|n| {
            let line = if languages.is_empty() {
                SPARE[n % SPARE.len()]
            } else {
                let lines = &languages[n % languages.len()];
                lines[(n / languages.len()) % lines.len()].as_str()
            };
            format!("{line} ·{}", n + 1)
        })
        .collect()
}
