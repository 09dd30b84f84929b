#!/usr/bin/env python3
"""hostile.py WHAT ARGUMENT... - one attempt of somebody who wants out of an instance; prints `yes`, or why not.

The same attempts are made outside by the owner of the lab, to show that they would work if nothing were in the way.
"""
import ctypes
import errno
import fcntl
import os
import socket
import struct
import sys
import termios
import time

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PTRACE_SEIZE = 0x4206
SYS_INIT_MODULE = {"x86_64": 175, "aarch64": 105}


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def read(path):
    with open(path, "rb") as file:
        file.read(16)


def write(path):
    """Opens only: what some of these files do when written to nobody wants."""
    os.close(os.open(path, os.O_WRONLY))


def create(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def lists(path):
    os.listdir(path)


def connect(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("\0" + path[1:] if path.startswith("@") else path)


def node(path):
    os.mknod(path, 0o600 | 0o060000, os.makedev(1, 0))


def kill(pid):
    os.kill(int(pid), 0)


def trace(pid):
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    checked(libc.ptrace(PTRACE_SEIZE, int(pid), 0, 0))


def join(pid):
    """The network of a process, from its user namespace if need be."""
    user = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
    net = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    libc.setns(user, 0)
    checked(libc.setns(net, CLONE_NEWNET))


def module(_):
    """Junk that a kernel refuses for what it is, if it looks at it at all."""
    number = SYS_INIT_MODULE.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, "unknown machine")
    if libc.syscall(number, b"junk", 4, b"") < 0 and ctypes.get_errno() != errno.ENOEXEC:
        checked(-1)


def window(seconds):
    """Looks into every process that is just becoming a program of this instance."""
    end, seen = time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm") as comm:
                    ours = comm.read().startswith("vpclab")
                if ours:
                    seen += 1
                    os.close(os.open(f"/proc/{pid}/mem", os.O_RDONLY))
                    with open(f"/proc/{pid}/comm") as comm:
                        if comm.read().startswith("vpclab"):
                            return
            except OSError:
                pass
    raise OSError(errno.EPERM, f"seen {seen}")


def forge(source, destination, port):
    """A UDP packet with whatever source."""
    udp = struct.pack("!HHHH", 4000, int(port), 8 + 6, 0) + b"forged"
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(destination))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        s.sendto(head + udp, (destination, 0))


def claim(device, address):
    """Gratuitous ARP, request and reply: `address` is mine."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((device, 0x0806))
        mac, ip = s.getsockname()[4], socket.inet_aton(address)
        for operation in (1, 2):
            s.send(b"\xff" * 6 + mac + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, operation) + mac + ip + b"\xff" * 6 + ip)


def links(nsid):
    """Of a network that is known by its number only: IFLA_TARGET_NETNSID."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        s.send(struct.pack("=IHHII16xHHi", 40, 18, 0x301, 1, 0, 8, 46, int(nsid)))
        kind, = struct.unpack_from("=4xH", answer := s.recv(65536))
        if kind != 16:
            code = -struct.unpack_from("=16xi", answer)[0]
            raise OSError(code, os.strerror(code))


def types(_):
    """Into the terminal that standard input is, as if the owner had."""
    fcntl.ioctl(0, termios.TIOCSTI, b"\n")


def keeper(path):
    """Who listens there."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        return struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


def main():
    what = {f.__name__: f for f in (read, write, create, lists, connect, node, kill, trace, join, module, window, forge, claim, links, types, keeper)}
    try:
        answer = what[sys.argv[1]](*sys.argv[2:])
        print("yes" if answer is None else answer)
    except OSError as error:
        print(errno.errorcode.get(error.errno, error.errno), error.strerror)


main()
