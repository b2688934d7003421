"""Checks `stele audit prove` as somebody would who has the documents of others alone: RFC 8032
(Ed25519), RFC 9162 (trees), c2sp.org/signed-note, /tlog-checkpoint and /tlog-proof. Nothing of ours."""

import base64
import hashlib
import struct

P = 2 ** 255 - 19
ORDER = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def _add(a, b):
    s, t = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    u, v = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = t - s, v - u, v + u, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result


def _recover_x(y, sign):
    squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(squared, (P + 3) // 8, P)
    if (x * x - squared) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - squared) % P:
        raise ValueError("no point")
    return P - x if x & 1 != sign else x


def _point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2 ** 255 - 1)
    x = _recover_x(y, sign)
    return x, y, 1, x * y % P


_BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (_recover_x(_BASE_Y, 0), _BASE_Y, 1, _recover_x(_BASE_Y, 0) * _BASE_Y % P)


def verifies(public, text, signature):
    r, s = _point(signature[:32]), int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % ORDER
    left, right = _times(s, BASE), _add(r, _times(h, _point(public)))
    return s < ORDER and (left[0] * right[2] - right[0] * left[2]) % P == 0 \
        and (left[1] * right[2] - right[1] * left[2]) % P == 0


def open_checkpoint(note, key):
    """(origin, size, root) of a note that the key signed."""
    name, digits, encoded = key.strip().split("+", 2)
    public = base64.b64decode(encoded, validate=True)
    assert public[0] == 1 and len(public) == 33
    key_id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
    assert key_id.hex() == digits, "the key's hash"
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature, validate=True)
        if dash == "\u2014" and signer == name and signature[:4] == key_id:
            assert verifies(public[1:], text.encode(), signature[4:]), "the signature"
            origin, size, root = text.splitlines()[:3]
            return origin, int(size), base64.b64decode(root, validate=True)
    raise AssertionError("no signature of the key")


def leaf(position, frame):
    return hashlib.sha256(b"\0" + struct.pack("<Q", position) + frame).digest()


def root_of(index, size, start, path):
    """RFC 9162, 2.1.3.2."""
    fn, sn, r = index, size - 1, start
    assert fn <= sn
    for p in path:
        assert sn > 0
        if fn & 1 or fn == sn:
            r = hashlib.sha256(b"\1" + p + r).digest()
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = hashlib.sha256(b"\1" + r + p).digest()
        fn >>= 1
        sn >>= 1
    assert sn == 0
    return r


def check_proof(proof, key):
    _, size, root = open_checkpoint(proof["head"], key)
    for record in proof["records"]:
        frame = base64.b64decode(record["frame"], validate=True)
        path = [base64.b64decode(node, validate=True) for node in record["path"]]
        position = record["position"]
        assert root_of(position - 1, size, leaf(position, frame), path) == root, position
        assert struct.unpack_from("<Q", frame, 8)[0] == proof["instance"]
    return size


def check_growth(proof, key):
    """RFC 9162, 2.1.4.2."""
    _, first, first_root = open_checkpoint(proof["older"], key)
    _, second, second_root = open_checkpoint(proof["newer"], key)
    path = [base64.b64decode(node, validate=True) for node in proof["path"]]
    if first == second:
        assert not path and first_root == second_root
        return first, second
    assert 0 < first < second and path
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    fr = sr = path[0]
    for c in path[1:]:
        assert sn > 0
        if fn & 1 or fn == sn:
            fr = hashlib.sha256(b"\1" + c + fr).digest()
            sr = hashlib.sha256(b"\1" + c + sr).digest()
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = hashlib.sha256(b"\1" + sr + c).digest()
        fn >>= 1
        sn >>= 1
    assert sn == 0 and fr == first_root and sr == second_root
    return first, second


def check_tlog_proof(text, key):
    head, note = text.split("\n\n", 1)
    lines = head.splitlines()
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    extra = base64.b64decode(lines[1].removeprefix("extra "), validate=True)
    index = int(lines[2].removeprefix("index "))
    path = [base64.b64decode(line, validate=True) for line in lines[3:]]
    _, size, root = open_checkpoint(note, key)
    assert root_of(index, size, hashlib.sha256(b"\0" + extra).digest(), path) == root
    return index
