//! A client's folder as it looks after long use: one account, one community, many topics, many messages. Written
//! through the client's own store, so that what is measured is what the program made.

/// What messages are hardest to show, as the tests of the dialect know them.
#[path = "../../crates/protocol/src/markup/tests/worst.rs"]
mod worst;

use std::path::Path;

use serde_json::json;
use tulou_client::store::Store;
use tulou_engine::{Counts, Island, TopicHead, Write};
use tulou_protocol::{
    AccountId, AccountId as Id, Body, CommunityId, Epoch, Greeting, GroupId, Log, MessageId,
    Permissions, Rev, Row, Seq, ServerId, SessionId, TopicId,
    limits::{Limits, TEXT_BYTES},
    permission::Place,
    push::Me,
    row::{
        AccessRow, Community, Content, Cursor, Group, Join, Membership, Message, More, Profile,
        Topic,
    },
};
use uuid::Uuid;

/// Messages written in one transaction.
const BATCH: usize = 5_000;
/// When the first message was sent.
const BEGIN: i64 = 1_790_000_000_000;
/// Who writes. No two are called alike: whose name is another's is shown with more than the name.
const NAMES: [&str; 40] = [
    "夏至",
    "Kestrel",
    "阿澈",
    "林间鹿",
    "Aster",
    "竹外",
    "nils",
    "小舟",
    "Fawn",
    "山海",
    "Juniper",
    "星野",
    "Rook",
    "半糖",
    "云上",
    "Mira",
    "白鹭",
    "Tove",
    "长夏",
    "Otis",
    "青柠",
    "Bram",
    "听雨",
    "Sable",
    "南风",
    "Wren",
    "木槿",
    "Dara",
    "纸鸢",
    "Ivo",
    "橘子",
    "Lark",
    "北辰",
    "Pell",
    "晚星",
    "Quill",
    "苏打",
    "Hazel",
    "空山",
    "Yarrow",
];
/// How many people write.
const AUTHORS: u128 = NAMES.len() as u128;

/// What was made.
pub struct Filled {
    /// The account's key.
    pub account: String,
    /// The topics, in the order of the tree.
    pub topics: Vec<String>,
}

/// Fills a folder with one community of topics with so many messages each, one of them perhaps with the worst that can be
/// sent. The window opens at the last topic.
pub fn fill(home: &Path, messages: &[usize], hard: Option<usize>) -> anyhow::Result<Filled> {
    let me = AccountId(Uuid::from_u128(1));
    let server = ServerId(Uuid::from_u128(2));
    let community = CommunityId(Uuid::from_u128(3));
    // As the client names files.
    let key = format!("{}.{}", server.0, me.0);
    let stores = home.join("accounts");
    std::fs::create_dir_all(&stores)?;
    let store = Store::open(&stores.join(format!("{key}.sqlite")), me)?;
    let topic_id = |n: usize| TopicId(Uuid::from_u128(1_000_000 + n as u128));

    let mut batch = vec![greeting(server, me), account_rows(me, community)];
    batch.push(structure(me, community, messages.len(), topic_id));
    batch.push(Write::Cursor {
        log: Log::Account(me),
        rev: Rev(2),
        view: None,
    });
    batch.push(Write::Cursor {
        log: Log::Community(community),
        rev: Rev(1),
        view: Some("bench".into()),
    });
    batch.push(Write::Me(
        community,
        Me {
            member_groups: vec![],
            seats: vec![],
            joined_at: BEGIN,
        },
    ));
    batch.push(Write::Counts(
        community,
        Counts {
            members: 120,
            online: 7,
        },
    ));
    batch.push(Write::HeadsKnown(community, BEGIN));
    batch.push(Write::Profiles((1..=AUTHORS).map(author_row).collect()));
    store.apply(&batch, BEGIN)?;

    let lines = lines();
    let worst: Vec<String> = worst::texts().into_iter().map(|(_, text)| text).collect();
    let mut batch = Vec::new();
    let mut waiting = 0;
    for (n, count) in messages.iter().copied().enumerate() {
        let topic = topic_id(n);
        let log = Log::Topic(topic);
        let head = count as u64;
        for from in (0..count).step_by(BATCH) {
            let to = count.min(from + BATCH);
            let said = if hard == Some(n) { &worst } else { &lines };
            let rows = (from..to).map(|at| message(n, at, said)).collect();
            batch.push(Write::Rows(log, rows));
            waiting += to - from;
            if waiting >= BATCH {
                store.apply(&std::mem::take(&mut batch), BEGIN)?;
                waiting = 0;
            }
        }
        batch.push(Write::Islands(
            topic,
            vec![Island {
                from: Seq(1),
                to: Seq(head),
                rev: Rev(head),
                is_paged: false,
            }],
        ));
        batch.push(Write::Cursor {
            log,
            rev: Rev(head),
            view: None,
        });
        batch.push(Write::Head(
            topic,
            TopicHead {
                seq: Seq(head),
                rev: Rev(head),
                floor: Seq(1),
                wide_mentions: vec![],
                read: Some(tulou_protocol::push::ReadBefore::default()),
            },
        ));
        let read = Cursor {
            seq: Seq(head),
            own: 0,
            set_no: 0,
            more: More::new(),
        };
        batch.push(Write::Rows(
            Log::Account(me),
            vec![Row {
                id: topic.to_string(),
                rev: Rev(2),
                body: Body::Cursor(read),
            }],
        ));
    }
    store.apply(&batch, BEGIN)?;
    store.checkpoint()?;

    let topics: Vec<String> = (0..messages.len())
        .map(|n| topic_id(n).to_string())
        .collect();
    std::fs::write(
        home.join("accounts.json"),
        json!({"accounts": [{
            "server": server, "account": me, "name": "me", "server_name": "Bench", "addresses": ["ws://127.0.0.1:9"],
        }]})
        .to_string(),
    )?;
    std::fs::write(
        home.join("settings.json"),
        json!({"last_place": {"account": key, "community": community, "topic": topics.last()}})
            .to_string(),
    )?;
    Ok(Filled {
        account: key,
        topics,
    })
}

fn greeting(server: ServerId, me: AccountId) -> Write {
    Write::Greeted(Box::new(Greeting {
        version: tulou_protocol::VERSION,
        server,
        server_name: "Bench".into(),
        epoch: Epoch(Uuid::from_u128(4)),
        session: SessionId(Uuid::from_u128(5)),
        account: me,
        now: BEGIN,
        limits: Limits::default(),
        account_limits: tulou_protocol::push::AccountLimits::default(),
        addresses: vec![],
    }))
}

fn account_rows(me: AccountId, community: CommunityId) -> Write {
    let membership = Membership {
        community,
        joined_at: BEGIN,
        more: More::new(),
    };
    Write::Rows(
        Log::Account(me),
        vec![
            author_row(1),
            Row {
                id: community.to_string(),
                rev: Rev(2),
                body: Body::Membership(membership),
            },
        ],
    )
}

fn author_row(n: u128) -> Row {
    let profile = Profile {
        account_name: format!("person{n}"),
        display_name: NAMES[n as usize % NAMES.len()].to_owned(),
        introduction: String::new(),
        server_admin: false,
        gone: false,
        more: More::new(),
    };
    Row {
        id: Id(Uuid::from_u128(n)).to_string(),
        rev: Rev(1),
        body: Body::Profile(profile),
    }
}

fn structure(
    me: AccountId,
    community: CommunityId,
    topics: usize,
    topic_id: impl Fn(usize) -> TopicId,
) -> Write {
    let group_id = |n: usize| GroupId(Uuid::from_u128(500_000 + n as u128));
    let mut rows = vec![
        Row {
            id: community.to_string(),
            rev: Rev(1),
            body: Body::Community(Community {
                name: "星海玩家社群".into(),
                introduction: String::new(),
                owner: me,
                join: Join::Invite,
                recall_window_ms: 120_000,
                edit_window_ms: None,
                created_at: BEGIN,
                more: More::new(),
            }),
        },
        Row {
            id: AccessRow::id(Place::Community, None),
            rev: Rev(1),
            body: Body::AccessRow(AccessRow {
                place: Place::Community,
                member_group: None,
                allow: Permissions::NEW_COMMUNITY,
                deny: Permissions::empty(),
                more: More::new(),
            }),
        },
    ];
    for n in 0..topics.div_ceil(20) {
        let group = Group {
            name: format!("分组 {}", n + 1),
            position: format!("a{n:04}V"),
            more: More::new(),
        };
        rows.push(Row {
            id: group_id(n).to_string(),
            rev: Rev(1),
            body: Body::Group(group),
        });
    }
    for n in 0..topics {
        let topic = Topic {
            group: group_id(n / 20),
            name: format!("话题 {}", n + 1),
            introduction: String::new(),
            closed: false,
            position: format!("a{n:05}V"),
            no: n as u32 + 1,
            more: More::new(),
        };
        rows.push(Row {
            id: topic_id(n).to_string(),
            rev: Rev(1),
            body: Body::Topic(topic),
        });
    }
    Write::Rows(Log::Community(community), rows)
}

fn message(topic: usize, at: usize, lines: &[String]) -> Row {
    let seq = at as u64 + 1;
    // Everybody writes a few lines in a row, and I write some of them.
    let author = (topic as u128 + at as u128 / 3) % AUTHORS + 1;
    let content = Content {
        author: AccountId(Uuid::from_u128(author)),
        sent_at: BEGIN + at as i64 * 45_000,
        written_at: None,
        text: lines[(topic * 31 + at) % lines.len()].clone(),
        reply_to: None,
        edited_at: None,
        recalled_by: None,
        more: More::new(),
    };
    Row {
        id: MessageId(Uuid::from_u128(
            ((topic as u128 + 1) << 64) | u128::from(seq),
        ))
        .to_string(),
        rev: Rev(seq),
        body: Body::Message(Message {
            seq: Seq(seq),
            content: Some(content),
            content_rev: Rev(seq),
            marks: None,
            marks_rev: Rev(0),
            more: More::new(),
        }),
    }
}

/// Lines of the corpus beside the checkout, or a few of our own.
fn lines() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let mut lines: Vec<String> = ["zh", "en", "ja", "ko"]
        .iter()
        .filter_map(|language| std::fs::read_to_string(folder.join(format!("{language}.txt"))).ok())
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| !line.trim().is_empty())
        .collect();
    if lines.is_empty() {
        lines = [
            "今晚九点开始，还缺两个人。",
            "Bring the second map, the first one is out of date.",
            "了解です。",
            "먼저 시작하세요.",
        ]
        .map(str::to_owned)
        .to_vec();
    }
    lines
}
