#!/usr/bin/env python3
"""A bot that answers whoever mentions it: bot.py http://127.0.0.1:4780 NAME PASSWORD [INVITE-CODE]

Made from protocol.md alone; needs Python 3.9 and websockets 10 or newer (Debian: python3-websockets). It may be cut off or killed
at any moment: how far it has answered is kept by the server, and the id of an answer follows from the message that it answers.
"""
import asyncio, base64, json, sys, time, urllib.error, urllib.request, uuid
import websockets

HERE, NAME, PASSWORD, CODE = (sys.argv[1:] + [None])[:4]

def new_id(of=None):
    made = uuid.uuid5(uuid.NAMESPACE_URL, of) if of else uuid.uuid4()
    return base64.urlsafe_b64encode(made.bytes).decode().rstrip("=")

def http(path, body=None, **about):
    request = urllib.request.Request(HERE + path, body and json.dumps(body).encode(), {"Content-Type": "application/json", **about})
    return json.load(urllib.request.urlopen(request, timeout=30))

def sign_in():
    me = {"account_name": NAME, "password": PASSWORD, "device": "bot.py"}
    try:
        return http("/v1/sessions", me)["token"]
    except urllib.error.HTTPError:  # there may be no such account yet; if there is, this is refused as well
        return http("/v1/accounts", {**me, "display_name": NAME, "invite": CODE})["token"]

async def ask(link, method, id=None, **params):
    request = json.dumps({"jsonrpc": "2.0", "id": id or time.monotonic_ns(), "method": method, "params": params})
    while True:
        await link.send(request)
        while "method" in (frame := json.loads(await link.recv())):
            link.has_news = True
        if "result" in frame or frame["error"]["code"] != 2:
            return frame["result"] if "result" in frame else print("refused:", method, frame["error"], flush=True) or frame["error"]
        await asyncio.sleep(frame["error"]["data"]["retry_after_ms"] / 1000)

async def own_rows(link, me):  # its communities, how far it has read, who mentions it
    found, page, on = {}, {"has_more": True}, {}
    while page.get("has_more") or "begun" in page:
        [page] = (await ask(link, "log.sync", logs=[{"log": f"account/{me}", "since": page.get("rev", 0), **on}]))["logs"]
        if page["outcome"] == "reset":
            found, on = {}, {key: page[key] for key in ("begun", "view") if key in page}
        found.update({(row["kind"], row["id"]): row for row in page.get("rows", [])})
    return {key: row for key, row in found.items() if "deleted" not in row}

async def answer(link, rows):
    for topic, seq, call in sorted((row["topic"], row["seq"], id) for (kind, id), row in rows.items() if kind == "mention"):
        read = rows.get(("cursor", topic), {"seq": 0, "set_no": 0})
        if seq > read["seq"]:
            at = {"message": new_id(call), "reply_to": call.partition(":")[2], "written_at": int(time.time() * 1000)}
            await ask(link, "message.send", new_id(call), topic=topic, text="I am here.", **at)
            await ask(link, "cursor.advance", new_id(), topic=topic, seq=seq, set_no=read.get("set_no", 0))

async def talk(link, token):
    if ((opened := await ask(link, "session.open", token=token, version=2)).get("data") or {}).get("code") == "signed_out":
        return None  # the session was ended elsewhere: there will be a new one
    if CODE and not any(kind == "membership" for kind, _ in await own_rows(link, opened["account"])):
        card = http(f"/v1/invites/{CODE}", Authorization=f"Bearer {token}")
        await ask(link, "community.join", new_id(), community=card["community"], invite=CODE)
    while True:
        link.has_news = False
        await answer(link, await own_rows(link, opened["account"]))
        while not link.has_news:
            link.has_news = json.loads(await link.recv())["method"] in ("push", "stale")

async def main():
    token, url = None, HERE.replace("http", "ws", 1) + "/ws"
    while True:
        try:
            token = token or sign_in()
            async with websockets.connect(url, subprotocols=["tulou.v1"], max_size=None, ping_interval=15) as link:
                token = await talk(link, token)
        except (OSError, ValueError, KeyError, asyncio.TimeoutError, websockets.WebSocketException) as cut:
            print("cut off:", cut, flush=True)
        await asyncio.sleep(3)

asyncio.run(main())
