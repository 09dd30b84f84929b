# proxy_target.py PORT: a server that wants a PROXY header before the request, and answers with what that said and whom it saw itself.
# Who sends none is hung up on.
import ipaddress
import socket
import socketserver
import struct
import sys

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def read_header(f):
    start = f.read(12)
    if start[:6] == b"PROXY ":
        return (start + f.readline()).decode().strip()
    if start != SIGNATURE:
        return None
    command, family, size = struct.unpack("!BBH", f.read(4))
    rest = f.read(size)
    if command == 0x20 and family == 0 and size == 0:
        return "LOCAL"
    n = {0x11: 4, 0x21: 16}[family]
    assert command == 0x21
    ports = struct.unpack("!HH", rest[2 * n:2 * n + 4])
    told = "PROXY TCP%d %s %s %d %d" % (4 if n == 4 else 6, ipaddress.ip_address(rest[:n]), ipaddress.ip_address(rest[n:2 * n]), *ports)
    rest = rest[2 * n + 4:]
    while rest:
        kind, length = struct.unpack("!BH", rest[:3])
        told += " %x:%d:%s" % (kind, rest[3], rest[4:3 + length].decode())
        rest = rest[3 + length:]
    return told


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        told = read_header(self.rfile)
        if told is None:
            return
        while self.rfile.readline().strip():
            pass
        text = "%s from %s\n" % (told, self.client_address[0])
        self.wfile.write(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(text), text)).encode())


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    address_family = socket.AF_INET


Server(("", int(sys.argv[1])), Handler).serve_forever()
