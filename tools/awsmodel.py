#!/usr/bin/env python3
"""Writes cloud/awsmodel/awsmodel_data.c from botocore's service models (Apache-2.0).

    tools/awsmodel.py > cloud/awsmodel/awsmodel_data.c        (make awsmodel)

Taken: names, types, member order, required members, enums, limits, patterns, wire names, HTTP bindings, error
codes and pagination of the operations listed in tools/awsmodel.ops.  Left out: all prose, and enums of more than
ENUM_LIMIT values (the 1,200 instance types).  Shapes that are equal but for their name become one.  The same
botocore gives the same file.  What the tables mean is said in cloud/awsmodel/awsmodel.h.
"""
import os
import sys

import botocore
import botocore.session
from botocore import xform_name

ENUM_LIMIT = 400
HERE = os.path.dirname(os.path.abspath(__file__))
CLI_NAME = {"s3": "s3api"}  # the aws command's word, where it is not botocore's
SIGNING = {"accessanalyzer": "access-analyzer", "elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "s3control": "s3"}
TYPES = ["", "string", "integer", "long", "double", "float", "boolean", "timestamp", "blob", "list", "map", "structure"]
TYPE_NAME = {t: "AWS_" + t.upper() for t in TYPES if t}
TYPE_NAME["character"] = "AWS_STRING"
LOCATION = {"uri": "AWS_IN_URI", "querystring": "AWS_IN_QUERY", "header": "AWS_IN_HEADER", "headers": "AWS_IN_HEADERS",
            "statusCode": "AWS_IN_STATUS"}


def read_ops(path):
    services, service = {}, None
    for line in open(path):
        line = line.split("#")[0].strip()
        if line.startswith("["):
            service = line.strip("[]")
            services[service] = []
        elif line:
            services[service] += line.split()
    return {name: sorted(ops) for name, ops in services.items()}


class Pool:
    """Strings behind offsets, so that the tables need no relocation when the program starts."""

    def __init__(self):
        self.offsets, self.texts, self.size = {}, [], 0
        self.add("")

    def add(self, text):
        if text not in self.offsets:
            self.offsets[text] = self.size
            self.texts.append(text)
            self.size += len(text.encode()) + 1
        return self.offsets[text]


def c_string(text):
    out = ""
    for b in text.encode():
        c = chr(b)
        out += "\\" + c if c in '"\\' else c if 32 <= b < 127 and c != "?" else "\\%03o" % b
    return out


def wire_names(protocol, name, member):
    out = member.get("locationName", name)
    if protocol == "ec2":
        into = member.get("queryName")
        if into is None:
            into = member.get("locationName")
            into = into[:1].upper() + into[1:] if into else name
        return into, out
    return out, out


CLASSES = {"w": "[:alnum:]_", "d": "0-9", "s": "[:space:]"}


def bracket(text, i):
    """A bracket expression from text[i], after the '[': (POSIX form, next index), or None if POSIX cannot say it."""
    negated = text[i] == "^"
    i += negated
    items, last = [], None
    while text[i] != "]":
        c = text[i]
        if c == "\\":
            kind = text[i + 1]
            if kind in CLASSES:
                items.append(CLASSES[kind])
                i += 2
                continue
            if kind == "u":
                code, i = int(text[i + 2:i + 6], 16), i + 6
                if code > 126 or code < 32:
                    return None
                c = chr(code)
            elif kind.isalpha():
                return None
            else:
                c, i = kind, i + 2
        elif c == "-" and items and text[i + 1] != "]":
            end = text[i + 1]
            i += 2
            if end == "\\":
                if text[i] != "u":
                    return None
                code, i = int(text[i + 1:i + 5], 16), i + 5
                if code > 126:
                    return None
                end = chr(code)
            items[-1] = items[-1] + "-" + end
            continue
        elif c == "[":
            return None
        else:
            i += 1
        items.append(c)
    # POSIX has no escapes here: "]" must stand first, "-" last and "^" not first.
    single = [x for x in items if len(x) == 1]
    ranges = [x for x in items if len(x) > 1]
    for x in ranges:
        if x[0] in "]-[" and x[1] == "-" and len(x) == 3:
            return None
    body = ("]" if "]" in single else "") + "".join(ranges)
    body += "".join(x for x in single if x not in "]-^") + ("^" if "^" in single else "") + ("-" if "-" in single else "")
    return "[" + ("^" if negated else "") + body + "]", i + 1


def posix_pattern(pattern):
    """The pattern as a POSIX extended regular expression that must match the whole text; "" if it cannot be said so or allows all."""
    if pattern in ("", r"[\s\S]*") or "(?" in pattern:
        return ""
    text = pattern[1:-1] if pattern.startswith("^") and pattern.endswith("$") else pattern
    out, i = "", 0
    while i < len(text):
        c = text[i]
        if c == "[":
            part = bracket(text, i + 1)
            if part is None:
                return ""
            out, i = out + part[0], part[1]
        elif c == "\\":
            kind = text[i + 1]
            if kind in CLASSES:
                out, i = out + "[" + CLASSES[kind] + "]", i + 2
            elif kind == "u":
                out, i = out + "[" + chr(int(text[i + 2:i + 6], 16)) + "]", i + 6
            elif kind.isalpha():
                return ""
            else:
                out, i = out + ("/" if kind == "/" else "\\" + kind), i + 2
        else:
            out, i = out + c, i + 1
    return "^(" + out + ")$"


class Shapes:
    """All shapes reached, merged when equal.  Classes are refined until no two different shapes share one."""

    def __init__(self):
        self.raw = []    # (service, name, dict)
        self.index = {}  # (service, name) -> position in raw

    def reach(self, service, model, name):
        key = (service, name)
        if key in self.index:
            return
        shape = model["shapes"][name]
        self.index[key] = len(self.raw)
        self.raw.append((service, model, name, shape))
        for child in self.children(shape):
            self.reach(service, model, child)

    @staticmethod
    def children(shape):
        kids = [m["shape"] for m in shape.get("members", {}).values()]
        for part in ("member", "key", "value"):
            if isinstance(shape.get(part), dict):
                kids.append(shape[part]["shape"])
        return kids

    def local(self, i, top):
        """What of a shape does not depend on its children."""
        service, model, name, shape = self.raw[i]
        protocol = model["metadata"]["protocol"]
        required = set(shape.get("required", []))
        members = []
        for member_name, member in shape.get("members", {}).items():
            into, out = wire_names(protocol, member_name, member)
            flags = []
            if member_name in required:
                flags.append("AWS_REQUIRED")
            if "location" in member:
                flags.append(LOCATION[member["location"]])
            if member.get("idempotencyToken"):
                flags.append("AWS_IDEMPOTENCY_TOKEN")
            if shape.get("payload") == member_name:
                flags.append("AWS_PAYLOAD")
            if member.get("xmlAttribute"):
                flags.append("AWS_XML_ATTRIBUTE")
            if member.get("flattened") or model["shapes"][member["shape"]].get("flattened"):
                flags.append("AWS_FLATTENED")
            if member.get("deprecated"):
                flags.append("AWS_DEPRECATED")
            option = xform_name(member_name, "-") if (service, name) in top else ""
            members.append((member_name, into, out, option, tuple(flags)))
        enum = tuple(shape.get("enum", ()))
        item = ""
        if shape["type"] == "list":
            item = shape["member"].get("locationName", "item" if protocol == "ec2" else "member")
        sflags = []
        if shape.get("sensitive"):
            sflags.append("AWS_SENSITIVE")
        if shape.get("union"):
            sflags.append("AWS_UNION")
        return (shape["type"], tuple(members), enum if len(enum) <= ENUM_LIMIT else (), shape.get("min"), shape.get("max"),
                posix_pattern(shape.get("pattern", "")), item, shape.get("timestampFormat", ""), tuple(sflags))

    def merge(self, top):
        """Gives each raw shape the number of its class, from 1, in order of first use."""
        local = [self.local(i, top) for i in range(len(self.raw))]
        key = {}
        klass = [key.setdefault(x, len(key)) for x in local]
        while True:
            key = {}
            refined = []
            for i, (service, _, _, shape) in enumerate(self.raw):
                kids = tuple(klass[self.index[service, child]] for child in self.children(shape))
                refined.append(key.setdefault((klass[i], kids), len(key)))
            if len(key) == len(set(klass)):
                break
            klass = refined
        number, first = {}, []
        self.number = []
        for i, k in enumerate(klass):
            if k not in number:
                number[k] = len(number) + 1
                first.append(i)
            self.number.append(number[k])
        return first, local

    def of(self, service, name):
        return self.number[self.index[service, name]]


def error_codes(service, model):
    """Error shape -> (code, HTTP status)."""
    codes = {}
    for name, shape in model["shapes"].items():
        if shape.get("exception"):
            error = shape.get("error", {})
            codes[name] = (error.get("code", name), error.get("httpStatusCode", 500 if shape.get("fault") else 400))
    return codes


def first_text(value):
    if isinstance(value, list):
        value = value[0]
    return value or ""


def main():
    loader = botocore.session.get_session().get_component("data_loader")
    wanted = read_ops(os.path.join(HERE, "awsmodel.ops"))
    models = {s: loader.load_service_model(s, "service-2") for s in wanted}
    pagers = {}
    for service in wanted:
        try:
            pagers[service] = loader.load_service_model(service, "paginators-1")["pagination"]
        except Exception:  # a service without pagination has no such file
            pagers[service] = {}

    shapes, top = Shapes(), set()
    for service, names in wanted.items():
        for name in names:
            op = models[service]["operations"][name]
            for part in ("input", "output"):
                if part in op:
                    shapes.reach(service, models[service], op[part]["shape"])
            if "input" in op:
                top.add((service, op["input"]["shape"]))
    first, local = shapes.merge(top)

    pool = Pool()
    limits, limit_rows = {}, []
    member_rows, enum_rows, shape_rows = [], [], []
    for i in first:
        service, model, name, shape = shapes.raw[i]
        type_, members, enum, low, high, pattern, item, timestamp, sflags = local[i]
        begin, n = 0, 0
        if members:
            begin, n = len(member_rows), len(members)
            for (member_name, into, out, option, flags), member in zip(members, shape["members"].values()):
                member_rows.append("{%d,%d,%d,%d,%d,%s}" % (
                    pool.add(member_name), pool.add(into), pool.add(out), pool.add(option),
                    shapes.of(service, member["shape"]), "|".join(flags) or "0"))
        elif enum:
            begin, n = len(enum_rows), len(enum)
            enum_rows += [str(pool.add(value)) for value in enum]
        limit = 0
        if low is not None or high is not None:
            row = (low, high)
            if row not in limits:
                limits[row] = len(limits) + 1
                limit_rows.append("{%s,%s,%d,%d}" % (
                    "INT64_MIN" if low is None else "%dLL" % low, "INT64_MAX" if high is None else "%dLL" % high,
                    low is not None, high is not None))
            limit = limits[row]
        child = shape.get("member") or shape.get("value") or None
        flags = ["AWS_TIME_" + timestamp.upper()] if timestamp else []
        shape_rows.append("{%s,%s,%d,%d,%d,%d,%d,%d,%d}" % (
            TYPE_NAME[type_], "|".join(list(sflags) + flags) or "0", n, limit,
            shapes.of(service, child["shape"]) if child else 0,
            shapes.of(service, shape["key"]["shape"]) if "key" in shape else 0,
            begin, pool.add(item), pool.add(pattern)))

    service_rows, op_rows, error_rows, error_refs, pager_rows, pager_keys = [], [], [], [], [], {}
    for service, names in wanted.items():
        model, meta = models[service], models[service]["metadata"]
        codes = error_codes(service, model)
        used = sorted({e["shape"] for n in names for e in model["operations"][n].get("errors", [])})
        place = {}
        for name in used:
            place[name] = len(error_rows)
            error_rows.append("{%d,%d}" % (pool.add(codes[name][0]), codes[name][1]))
        service_rows.append("{%s}" % ",".join(str(x) for x in (
            pool.add(CLI_NAME.get(service, service)), pool.add(meta["apiVersion"]), pool.add(meta["protocol"]),
            pool.add(meta.get("xmlNamespace", "")), pool.add(SIGNING.get(service, meta["endpointPrefix"])),
            pool.add(meta.get("targetPrefix", "")), pool.add(meta.get("jsonVersion", "")), len(op_rows), len(names))))
        for name in names:
            op = model["operations"][name]
            errors = [place[e["shape"]] for e in op.get("errors", [])]
            pager = pagers[service].get(name)
            pager_number = 0
            if pager:
                row = tuple(pool.add(first_text(pager.get(k))) for k in
                            ("input_token", "output_token", "limit_key", "result_key", "more_results"))
                if row not in pager_keys:
                    pager_keys[row] = len(pager_rows) + 1
                    pager_rows.append("{%s}" % ",".join(map(str, row)))
                pager_number = pager_keys[row]
            op_rows.append("{%s}" % ",".join(str(x) for x in (
                pool.add(name), pool.add(xform_name(name, "-")), pool.add(op["http"]["method"]), pool.add(op["http"]["requestUri"]),
                pool.add(op.get("output", {}).get("resultWrapper", "")),
                shapes.of(service, op["input"]["shape"]) if "input" in op else 0,
                shapes.of(service, op["output"]["shape"]) if "output" in op else 0,
                pager_number, len(service_rows) - 1, len(error_refs), len(errors))))
            error_refs += [str(e) for e in errors]

    out = sys.stdout
    out.write("/* Generated by tools/awsmodel.py from botocore %s: names and types of %d operations, no prose.  Do not edit.\n"
              " * botocore is Copyright Amazon.com, Inc. or its affiliates, Apache License 2.0; see NOTICE. */\n"
              "/* clang-format off */\n#include \"cloud/awsmodel/awsmodel_tables.h\"\n\n" % (botocore.__version__, len(op_rows)))
    out.write("const char aws_model_version[] = \"botocore %s\";\n" % botocore.__version__)

    def table(type_, name, rows):
        out.write("const %s %s[] = {\n" % (type_, name))
        line = ""
        for row in rows:
            if len(line) + len(row) > 150:
                out.write(line + "\n")
                line = ""
            line += row + ","
        out.write(line + "\n};\n")

    table("struct aws_service", "aws_services", service_rows)
    out.write("const size_t aws_n_services = %d;\n" % len(service_rows))
    table("struct aws_operation", "aws_operations", op_rows)
    table("struct aws_shape", "aws_shapes", ["{0}"] + shape_rows)
    table("struct aws_member", "aws_members_table", member_rows)
    table("uint32_t", "aws_enum_values", enum_rows)
    table("struct aws_limit", "aws_limits", ["{0}"] + limit_rows)
    table("struct aws_error", "aws_errors", error_rows)
    table("uint16_t", "aws_error_refs", error_refs)
    table("struct aws_pager", "aws_pagers", ["{0}"] + pager_rows)
    # One literal per text, so that the \0 at its end cannot run into a digit that follows.
    out.write("const char aws_pool[] =\n")
    line = ""
    for text in pool.texts:
        piece = '"%s\\0" ' % c_string(text)
        if len(line) + len(piece) > 150:
            out.write(line.rstrip() + "\n")
            line = ""
        line += piece
    out.write(line.rstrip() + ";\n")


main()
