#!/usr/bin/env python3
"""A bot that answers whoever mentions it: bot.py http://127.0.0.1:4780 NAME PASSWORD [INVITE-CODE]

Made from protocol.md alone; needs Python 3.9 and websockets 10 or newer (Debian: python3-websockets). It may be cut off or killed
at any moment: how far it has read is kept by the server, and the id of an answer follows from the message that it answers.
"""
import asyncio, base64, itertools, json, sys, time, urllib.error, urllib.request, uuid
import websockets

HERE, NAME, PASSWORD, CODE = (sys.argv[1:] + [None])[:4]
QUESTIONS = itertools.count(1)

def new_id(of=None):
    made = uuid.uuid5(uuid.NAMESPACE_URL, of) if of else uuid.uuid4()
    return base64.urlsafe_b64encode(made.bytes).decode().rstrip("=")

def http(path, body=None, token=""):
    about = {"Content-Type": "application/json", **({"Authorization": "Bearer " + token} if token else {})}
    request = urllib.request.Request(HERE + path, body and json.dumps(body).encode(), about)
    return json.load(urllib.request.urlopen(request, timeout=30))

def sign_in():
    me = {"account_name": NAME, "password": PASSWORD, "device": "bot.py"}
    try:
        return http("/v1/sessions", me)["token"]
    except urllib.error.HTTPError:  # there may be no such account yet; if there is, this is refused as well
        return http("/v1/accounts", {**me, "display_name": NAME, "invite": CODE})["token"]

async def ask(link, method, id=None, **params):
    request = json.dumps({"jsonrpc": "2.0", "id": id or next(QUESTIONS), "method": method, "params": params})
    while True:
        await link.send(request)
        while "method" in (frame := json.loads(await link.recv())):
            link.bells.append(frame["params"].get("log", "") if frame["method"] in ("push", "stale") else "")
        if "result" in frame or frame["error"]["code"] != 2:
            return frame.get("result") or print("refused:", method, frame.get("error"), flush=True) or {}
        await asyncio.sleep(frame["error"]["data"]["retry_after_ms"] / 1000)

async def rows(link, log, kind):
    found, page, on = {}, {"has_more": True}, {}
    while page.get("has_more") or "begun" in page:
        [page] = (await ask(link, "log.sync", logs=[{"log": log, "since": page.get("rev", 0), **on}]))["logs"]
        if page["outcome"] == "reset":
            found, on = {}, {key: page[key] for key in ("begun", "view") if key in page}
        found.update({row["id"]: row for row in page.get("rows", []) if row["kind"] == kind})
    return [row for row in found.values() if "deleted" not in row]

async def read_on(link, me, topic, cursor):
    while page := (await ask(link, "topic.page", topic=topic, at={"after": cursor["seq"]}, limit=200)).get("rows"):
        calls = [row["id"].partition(":")[2] for row in await rows(link, f"account/{me}", "mention") if row["topic"] == topic]
        for row in page:
            if row["id"] in calls:
                id, text = new_id(topic + row["id"]), f"<@{row['author']}> I am here."
                now = int(time.time() * 1000)
                await ask(link, "message.send", id, topic=topic, message=id, reply_to=row["id"], text=text, written_at=now)
        cursor["seq"] = page[-1]["seq"]
        await ask(link, "cursor.advance", new_id(), topic=topic, **cursor)

async def talk(link, token):
    link.bells = []
    me = (await ask(link, "session.open", token=token, version=2))["account"]
    if CODE and not await rows(link, f"account/{me}", "membership"):
        await ask(link, "community.join", new_id(), community=http(f"/v1/invites/{CODE}", token=token)["community"], invite=CODE)
    while True:
        held = {row["id"]: row for row in await rows(link, f"account/{me}", "cursor")}
        houses = await rows(link, f"account/{me}", "membership")
        topics = [topic["id"] for house in houses for topic in await rows(link, f"community/{house['id']}", "topic")][:32]
        cursors = {topic: {key: held.get(topic, {}).get(key, 0) for key in ("seq", "set_no")} for topic in topics}
        await ask(link, "session.watch", topics=topics)
        link.bells += [f"topic/{topic}" for topic in topics]
        while not any(bell.startswith("community/") for bell in link.bells):  # which may bring other topics or rights
            bells, link.bells = link.bells, []
            for topic in {bell[6:] for bell in bells} & cursors.keys():
                await read_on(link, me, topic, cursors[topic])
            if not link.bells:
                frame = json.loads(await link.recv())
                link.bells.append(frame["params"].get("log", "") if frame["method"] in ("push", "stale") else "")
        link.bells = []

async def main():
    token = None
    while True:
        try:
            token = token or sign_in()
            url = HERE.replace("http", "ws", 1) + "/ws"
            async with websockets.connect(url, subprotocols=["tulou.v1"], max_size=None, ping_interval=15) as link:
                await talk(link, token)
        except (OSError, ValueError, KeyError, asyncio.TimeoutError, websockets.WebSocketException) as cut:
            print("cut off:", cut, flush=True)
        await asyncio.sleep(3)

asyncio.run(main())
