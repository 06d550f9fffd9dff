#!/usr/bin/env python3
"""A bot that answers whoever mentions it: bot.py http://127.0.0.1:4780 NAME PASSWORD [INVITE-CODE]

Made from protocol.md alone; needs Python 3.9 and websockets 10 or newer (Debian: python3-websockets). It may be cut off or killed
at any moment: how far it has read is kept by the server, and the id of an answer follows from the message that it answers. It reads
up to 32 topics of the communities that it is in.
"""
import asyncio, base64, json, random, sys, time, urllib.error, urllib.request, uuid
import websockets

HERE, NAME, PASSWORD, CODE = (sys.argv[1:] + [None])[:4]

def letters(id):
    return base64.urlsafe_b64encode(id.bytes).decode().rstrip("=")

def http(method, path, body=None):
    body = body and json.dumps(body).encode()
    request = urllib.request.Request(HERE + path, body, {"Content-Type": "application/json"}, method=method)
    try:
        return json.load(urllib.request.urlopen(request, timeout=30))
    except urllib.error.HTTPError as refused:
        return json.load(refused)

def sign_in():
    me = {"account_name": NAME, "password": PASSWORD, "device": "bot.py"}
    answer = http("POST", "/v1/sessions", me)
    if answer.get("rejection", {}).get("code") == "wrong_password":  # there may be no such account yet
        answer = http("POST", "/v1/accounts", {**me, "display_name": NAME, "invite": CODE})
    return answer.get("token") or sys.exit(f"not signed in (name_taken: the password is another): {answer}")

class Refused(Exception):
    """The server said no, and would say so again."""

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
                raise Refused(method, frame["error"])
            await asyncio.sleep(frame["error"]["data"]["retry_after_ms"] / 1000)

    async def rows(self, log, kind):
        found, since, more = {}, 0, True
        while more:
            synced = (await self.ask("log.sync", logs=[{"log": log, "since": since}]))["logs"][0]
            if synced["outcome"] == "gone":  # meanwhile
                return {}
            found.update({row["id"]: row for row in synced["rows"] if row.get("kind", "message") == kind})
            since, more = synced["rev"], synced.get("has_more")
        return {id: row for id, row in found.items() if "deleted" not in row}

    async def read_on(self, me, topic, cursor):
        try:
            while rows := (await self.ask("topic.page", topic=topic, at={"after": cursor["seq"]}, limit=200))["rows"]:
                called = {}
                if any(me in row["text"] for row in rows):
                    called = await self.rows(f"account/{me}", "mention")  # in code, say, nobody is called
                for row in rows:
                    if called.get(row["id"], {}).get("topic") == topic:
                        await self.answer(topic, row["id"], row["author"])
                    cursor["seq"] = row["seq"]
                await self.ask("cursor.advance", letters(uuid.uuid4()), topic=topic, **cursor)
        except Refused as no:  # the topic is gone, or not for it any more
            print("not read:", topic, no, flush=True)

    async def answer(self, topic, message, author):
        id = letters(uuid.uuid5(uuid.UUID(bytes=base64.urlsafe_b64decode(topic + "==")), message))
        try:
            await self.ask("message.send", id, topic=topic, message=id, reply_to=message,
                           text=f"<@{author}> I am here.", written_at=int(time.time() * 1000))
        except Refused as no:  # it may not speak there: everything else goes on
            print("not answered:", message, no, flush=True)

async def talk(socket, token):
    link = Link(socket)
    me = (await link.ask("session.open", token=token, version=1))["account"]
    if CODE and not await link.rows(f"account/{me}", "membership"):
        card = http("GET", f"/v1/invites/{CODE}")
        if "community" not in card:
            sys.exit(f"not invited: {card}")
        await link.ask("community.join", letters(uuid.uuid4()), community=card["community"], invite=CODE)
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
    server, token, pause = None, None, 1
    while True:
        try:
            server = server or http("GET", "/v1/server")["server"]
            token = token or sign_in()
            url = HERE.replace("http", "ws", 1) + "/ws"
            async with websockets.connect(url, subprotocols=["tulou.v1"], max_size=None, ping_interval=15) as socket:
                headers = socket.response_headers if hasattr(socket, "response_headers") else socket.response.headers
                if headers["tulou-server"] != server:
                    sys.exit("another server answers there")
                pause = 1
                await talk(socket, token)
        except (OSError, ValueError, asyncio.TimeoutError, websockets.WebSocketException) as cut:
            print("cut off:", cut, flush=True)
        except Refused as no:
            sys.exit(f"refused: {no}")
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))
        pause = min(2 * pause, 30)

asyncio.run(main())
