#!/usr/bin/env python3
"""A bot that answers whoever mentions it: bot.py http://127.0.0.1:4780 NAME PASSWORD [INVITE-CODE]

Made from protocol.md alone; needs Python 3.9 and websockets 10 (Debian: python3-websockets). It may be cut off or killed at any
moment: how far it has read is kept by the server, and the id of an answer follows from the message that it answers.
"""
import asyncio, json, random, re, sys, time, urllib.error, urllib.request, uuid
import websockets

HERE, NAME, PASSWORD, CODE = (sys.argv[1:] + [None])[:4]

def http(method, path, body=None):
    body = body and json.dumps(body).encode()
    request = urllib.request.Request(HERE + path, body, {"Content-Type": "application/json"}, method=method)
    try:
        return json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as refused:
        return json.load(refused)

def sign_in():
    me = {"account_name": NAME, "password": PASSWORD, "device": "bot.py"}
    signed_in = http("POST", "/v1/sessions", me)
    if "token" not in signed_in:
        signed_in = http("POST", "/v1/accounts", {**me, "display_name": NAME, "invite": CODE})
    return signed_in.get("token") or sys.exit(f"not signed in: {signed_in}")

class Link:
    def __init__(self, socket):
        self.socket, self.last, self.pushes = socket, 0, []

    async def ask(self, method, id=None, **params):
        self.last += 1
        request = json.dumps({"jsonrpc": "2.0", "id": id or self.last, "method": method, "params": params})
        while True:
            await self.socket.send(request)
            while "method" in (frame := json.loads(await self.socket.recv())):
                self.pushes.append(frame)
            if "result" in frame:
                return frame["result"]
            if frame["error"]["code"] != 2:
                sys.exit(f"{method} was refused: {frame['error']}")
            await asyncio.sleep(frame["error"]["data"]["retry_after_ms"] / 1000)

    async def rows(self, log, kind):
        found, since, more = {}, 0, True
        while more:
            synced = (await self.ask("log.sync", logs=[{"log": log, "since": since}]))["logs"][0]
            found.update({row["id"]: row.get("body") for row in synced["rows"] if row["kind"] == kind})
            since, more = synced["rev"], synced.get("has_more")
        return {id: body for id, body in found.items() if body}

    async def read_on(self, me, topic, cursor):
        while rows := (await self.ask("topic.page", topic=topic, at={"after": cursor["seq"]}, limit=200))["rows"]:
            for row in rows:
                cursor["seq"], content = row["body"]["seq"], row["body"]["content"]
                text = re.sub(r"(`+).*?(\1|$)", "", content["text"], flags=re.S)  # code mentions nobody
                if f"<@{me}>" in text and content["author"] != me:
                    id = str(uuid.uuid5(uuid.UUID(topic), row["id"]))
                    await self.ask("message.send", id, topic=topic, message=id, reply_to=row["id"],
                                   text=f"<@{content['author']}> I am here.", written_at=int(time.time() * 1000))
            await self.ask("cursor.advance", str(uuid.uuid4()), topic=topic, **cursor)

async def talk(socket, token):
    link = Link(socket)
    me = (await link.ask("session.open", token=token, version=1))["account"]
    if CODE and not await link.rows(f"account/{me}", "membership"):
        community = http("GET", f"/v1/invites/{CODE}")["community"]
        await link.ask("community.join", str(uuid.uuid4()), community=community, invite=CODE)
    while True:
        read = await link.rows(f"account/{me}", "cursor")
        communities = await link.rows(f"account/{me}", "membership")
        topics = [topic for community in communities for topic in await link.rows(f"community/{community}", "topic")]
        cursors = {f"topic/{topic}": {key: read.get(topic, {}).get(key, 0) for key in ("seq", "set_no")} for topic in topics[:32]}
        await link.ask("session.watch", topics=topics[:32])
        for log, cursor in cursors.items():
            await link.read_on(me, log[6:], cursor)
        log = ""
        while not log.startswith("community/"):  # then there are other topics or rights: look again
            frame = link.pushes.pop(0) if link.pushes else json.loads(await socket.recv())
            log = frame["params"].get("log", "") if frame["method"] in ("push", "stale") else ""
            if log in cursors:
                await link.read_on(me, log[6:], cursors[log])

async def main():
    server, token, pause = http("GET", "/v1/server")["server"], sign_in(), 1
    while True:
        try:
            url = HERE.replace("http", "ws", 1) + "/ws"
            async with websockets.connect(url, subprotocols=["tulou.v1"], max_size=None) as socket:
                if socket.response_headers["tulou-server"] != server:
                    sys.exit("another server answers there")
                pause = 1
                await talk(socket, token)
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as cut:
            print("cut off:", cut, flush=True)
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))
        pause = min(2 * pause, 30)

asyncio.run(main())
