# http_talk.py HOST PORT WHAT: says to a balancer what curl does not, and prints the answers' statuses and bodies.
import socket
import sys

host, port, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def answers(said, n, halves=False, wait=20):  # 'wait' for the end, which does not come while the connection is kept
    with socket.create_connection((host, port), 20) as s:
        for part in said if isinstance(said, list) else [said]:
            s.sendall(part.encode())
        if halves:
            s.shutdown(socket.SHUT_WR)
        f = s.makefile("rb")
        for _ in range(n):
            status = f.readline().decode().split(" ")
            if len(status) < 2:
                print("end")
                return
            size, keeps = 0, "-"
            for line in iter(f.readline, b"\r\n"):
                name, value = line.decode().strip().split(": ", 1)
                size = int(value) if name.lower() == "content-length" else size
                keeps = value if name.lower() == "connection" else keeps
            print(status[1], keeps, f.read(size).decode().strip())
        if not halves:
            s.settimeout(wait)
            try:
                print("end" if not f.read(1) else "more")
            except TimeoutError:
                print("open")


def get(path, more="", version="1.1"):
    return "GET %s HTTP/%s\r\nHost: h\r\n%s\r\n" % (path, version, more)


def upgrade():
    with socket.create_connection((host, port), 20) as s:
        s.sendall(get("/upgrade", "Connection: Upgrade\r\nUpgrade: echo\r\n").encode() + b"early ")
        f = s.makefile("rb")
        head = [line.decode().strip() for line in iter(f.readline, b"\r\n")]
        print(head[0], *sorted(h for h in head if h.lower().startswith(("connection", "upgrade"))))
        s.sendall(b"bytes\n")
        print(f.readline().decode().strip())
        s.shutdown(socket.SHUT_WR)
        print("end" if not f.read(1) else "more")


talks = {
    "pipelined": lambda: answers(get("/a") + get("/fixed") + get("/b", "Connection: close\r\n"), 3),
    "split": lambda: answers(list(get("/split")) + [get("/next")], 2, wait=0.3),
    "old": lambda: answers(get("/", version="1.0"), 1),
    "old-kept": lambda: answers(get("/1", "Connection: keep-alive\r\n", "1.0") + get("/2", version="1.0"), 2),
    "no-host": lambda: answers("GET /no HTTP/1.0\r\n\r\n", 1),
    "chunks": lambda: answers("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n" + get("/after"), 2, wait=0.3),
    "bad-chunks": lambda: answers("POST /fixed HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + get("/after"), 2),
    "both": lambda: answers("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", 2),
    "dropped": lambda: answers("POST /fixed HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nGET / " + get("/after"), 2, wait=0.3),
    "half": lambda: answers(get("/half"), 1, True),
    "upgrade": upgrade,
    "idle": lambda: answers(get("/first"), 1),
    "silent": lambda: answers(get("/first") + "GET /second HTTP/1.1\r\n", 2),
}
talks[what]()
