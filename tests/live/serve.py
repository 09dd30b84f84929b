# serve.py [--tls] NAME PORT [ADDRESS]: a web server ("::" for both families) that says its name, whom it saw, and what it was told about him.
import http.server
import socket
import socketserver
import ssl
import subprocess
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size + 2)[:size].decode()
            self.rfile.readline()
        text = "%s %s %s %s %s %s\n" % (sys.argv[1], self.client_address[0], self.headers.get("X-Forwarded-For", "-"),
                                        self.headers.get("Host", "-"), self.path, body or "-")
        if self.path == "/upgrade":
            self.send_response(101)
            self.send_header("Connection", "Upgrade")
            self.send_header("Upgrade", self.headers["Upgrade"])
            self.end_headers()
            self.wfile.write(self.rfile.readline())
            self.close_connection = True
            return
        if self.path == "/told":  # everything that a balancer says
            text = "".join("%s: %s\n" % (name, value) for name, value in self.headers.items() if name.startswith("X-") or name in ("Host", "Connection", "Expect"))
        self.send_response(200)
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"4\r\nfour\r\n5\r\n five\r\n0\r\n\r\n")
            return
        if self.path == "/to-the-end":
            self.close_connection = True
            self.end_headers()
            self.wfile.write(text.encode())
            return
        self.send_header("Content-Length", str(len(text)))
        if self.path == "/login":
            self.send_header("Set-Cookie", "session=x; Path=/")
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024


tls = sys.argv[1] == "--tls"
if tls:
    del sys.argv[1]
address = sys.argv[3] if len(sys.argv) > 3 else ""
Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
server = Server((address, int(sys.argv[2])), Handler)
if tls:  # with a certificate of its own, which only a balancer takes
    subprocess.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj /CN=%s -keyout /tmp/%s.pem -out /tmp/%s.crt && "
                   "cat /tmp/%s.crt >>/tmp/%s.pem" % ((sys.argv[1],) * 5), shell=True, check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/tmp/%s.pem" % sys.argv[1])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
