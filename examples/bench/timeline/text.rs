//! What people write.

use rand::{RngExt, rngs::StdRng};

/// A message as somebody might write it: short, long, several lines, a little code.
pub fn line(rng: &mut StdRng) -> String {
    let lines = [
        "今晚九点开始，还缺两个人，有空的回一下。",
        "Bring the second map, the first one is out of date.",
        "集合場所はいつもの広場でいいですか？",
        "오늘은 조금 늦을 것 같아요, 먼저 시작하세요.",
        "**记得** 看一下公告，`v2` 的规则变了",
    ];
    let words = |rng: &mut StdRng| lines[rng.random_range(0..lines.len())];
    match rng.random_range(0..10) {
        0..6 => words(rng).to_owned(),
        6 => "好".to_owned(),
        7 => (0..rng.random_range(2..8))
            .map(|_| words(rng))
            .collect::<Vec<_>>()
            .join(" "),
        8 => (0..rng.random_range(2..5))
            .map(|_| words(rng))
            .collect::<Vec<_>>()
            .join("\n"),
        _ => format!(
            "```rust\nfn main() {{\n    println!(\"{}\");\n}}\n```",
            words(rng)
        ),
    }
}

/// A message that is a block of code, of ten to forty lines; some lines are wider than the window.
pub fn code(rng: &mut StdRng) -> String {
    let lines = [
        "let mut heights: BTreeMap<u64, f64> = BTreeMap::new();",
        "for (seq, row) in rows.iter().enumerate() {",
        "    heights.insert(seq as u64, row.height);",
        "    // 高度以 CSS 像素计，换行之后再量一次",
        "}",
        "",
        "let widest = heights.values().copied().fold(0.0_f64, f64::max); assert!(widest > 0.0, \"a row has a height, and so has the list that it stands in: {widest}\");",
    ];
    let block: Vec<&str> = (0..rng.random_range(10..40))
        .map(|_| lines[rng.random_range(0..lines.len())])
        .collect();
    format!("```rust\n{}\n```", block.join("\n"))
}
