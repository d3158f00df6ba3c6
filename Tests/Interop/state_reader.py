"""Reads states as docs/STATE.md says, written from that page alone: what Tests/Vectors/state.json holds must come out
right, which each state's check (section 6) tells.

    python3 Tests/Interop/state_reader.py
"""
import json, os, struct
M64 = (1 << 64) - 1
NULL, FALSE, TRUE, INT, LARGE, SMALL, REAL, TEXT, BYTES, LIST, DICT, UNDEF, TAG, SIMPLE = range(14)

class Node:
    def __init__(s, kind, v=None, key=None): s.kind, s.v, s.key, s.kids = kind, v, key, []
    def is_map(s): return len(s.kids) > 32 or (len(s.kids) > 4 and all(k.kind in (LIST, DICT, TAG) for k in s.kids))
    def find(s, key): return next((k for k in s.kids if k.key == key), None) if s.kind == DICT else None
    def identity(s):
        if s.kind != DICT: return None
        n = s.find((0, b"id"))
        return None if n is None or n.kind in (LIST, DICT, TAG) else (n.kind, n.v)
    def show(s):
        if s.kind == LIST: return [k.show() for k in s.kids]
        if s.kind == DICT: return {(k.key[1].decode() if k.key[0] == 0 else k.key): k.show() for k in s.kids}
        if s.kind == TAG: return ("tag", s.v, s.kids[0].show())
        if s.kind == REAL: return struct.unpack("<d", struct.pack("<Q", s.v))[0]
        if s.kind in (INT, LARGE): return s.v
        if s.kind == SMALL: return -1 - s.v
        if s.kind == TEXT: return s.v.decode()
        if s.kind in (NULL, FALSE, TRUE, UNDEF): return [None, False, True][s.kind] if s.kind < 3 else "undefined"
        return s.v

def dbl(bits): return struct.unpack("<d", struct.pack("<Q", bits))[0]
def bits(d): return struct.unpack("<Q", struct.pack("<d", d))[0]
def rnd(x):
    import math
    f = math.floor(abs(x) + 0.5) if abs(x) < 2**52 else abs(x)
    if abs(x) < 2**52 and abs(x) - math.floor(abs(x)) < 0.5: f = math.floor(abs(x))
    return math.copysign(f, x)
SC = [1, 10, 100, 1000]
def steps(c, v):
    if v != v or v in (float("inf"), -float("inf")): return None
    n = rnd(v * SC[c])
    return int(n) if abs(n) <= 2**53 else None
def f32(v):
    try: return struct.unpack("<f", struct.pack("<f", v))[0]
    except OverflowError: return float("inf") if v > 0 else -float("inf")
def has(c, v):
    if c < 4: return steps(c, v) is not None and bits(steps(c, v) / SC[c]) == bits(v)
    if c == 4: return v == v and bits(f32(v)) == bits(v)
    return True
def least(v): return next(c for c in range(6) if has(c, v))
def rounded(c, v):
    if c < 4: return None if steps(c, v) is None else steps(c, v) / SC[c]
    return f32(v) if c == 4 else v
def place(c, v):
    if c < 4: return steps(c, v) or 0
    if c == 4:
        if v != v: return 0
        b = struct.unpack("<i", struct.pack("<f", f32(v)))[0]
        return b ^ ((b >> 31) & 0x7fffffff)
    b = struct.unpack("<q", struct.pack("<d", v))[0]
    return b ^ ((b >> 63) & (M64 >> 1))
def unplace(c, p):
    if c < 4: assert abs(p) <= 2**53; return p / SC[c]
    if c == 4: return struct.unpack("<f", struct.pack("<i", p ^ ((p >> 31) & 0x7fffffff)))[0]
    return struct.unpack("<d", struct.pack("<q", p ^ ((p >> 63) & (M64 >> 1))))[0]
def s64(x): x &= M64; return x - (1 << 64) if x >> 63 else x

class Column:
    def __init__(s): s.m = [[32768, 0] for _ in range(540)]; s.kids = {}; s.score = [0, 0]; s.cls = [None, None]; s.recent = []

class Reader:
    def __init__(s, data, base, older, d, span):
        s.data, s.pos, s.missing, s.R, s.code = data, 0, 0, 0xffffffff, 0
        for _ in range(4): s.code = s.code << 8 | s.byte_in()
        s.d, s.span = d, span
        s.root = Column(); s.count = 1; s.before = 0
        s.text = [[[32768, 0] for _ in range(256)] for _ in range(4)]
        ref = None if base is None else (0, base, older)
        s.tree = s.node(ref, s.root, None)
        check = s.raw(16)
        assert s.pos == len(data) and s.missing <= 4, "length"
        assert check == state_hash(s.tree) >> 48, "check"
    def byte_in(s):
        if s.pos < len(s.data): s.pos += 1; return s.data[s.pos - 1]
        s.missing += 1; return 0
    def bit(s, m):
        b = (s.R >> 16) * m[0]
        r = s.code >= b
        if r: s.code -= b; s.R -= b
        else: s.R = b
        g = 48 if r else 65488
        m[0] += ((g - m[0]) * (131072 // (2 * m[1] + 3))) >> 16
        m[1] = min(30, m[1] + 1)
        while s.R < 1 << 24: s.R = (s.R << 8) & 0xffffffff; s.code = (s.code << 8 | s.byte_in()) & 0xffffffff
        return int(r)
    def raw(s, k):
        v = 0
        for _ in range(k):
            s.R >>= 1
            r = s.code >= s.R
            if r: s.code -= s.R
            v = v << 1 | int(r)
            if s.R < 1 << 24: s.R <<= 8; s.code = (s.code << 8 | s.byte_in()) & 0xffffffff
        return v
    def bits_tree(s, models, at, k):
        p = 1
        for _ in range(k): p = p << 1 | s.bit(models[at + p])
        return p - (1 << k)
    def number(s, c, m):
        k = s.bits_tree(c.m, m + 9, 6) + 8 if s.bit(c.m[m]) else s.bits_tree(c.m, m + 1, 3)
        if k <= 1: return k
        k = min(k, 64); v, left = 1, k - 1
        if k < 16:
            f = s.bit(c.m[m + 74 + k]); v = v << 1 | f; left -= 1
            if left: v = v << 1 | s.bit(c.m[m + 90 + 2 * k + f]); left -= 1
        return v << left | s.raw(left)
    def signed(s, c, m):
        n = s.number(c, m)
        return -n if n and s.bit(c.m[m + 73]) else n
    def child(s, c, key):
        if key in c.kids: return c.kids[key]
        if s.count >= 256: return s.root
        s.count += 1; c.kids[key] = Column(); return c.kids[key]
    def cont(s, ref, c):
        mode, v, o = ref
        if o is None or o.kind != v.kind: return None
        d, sp = (s.d, s.span) if mode == 0 else (1, 1)
        if v.kind == INT:
            x = v.v + (2 * (v.v - o.v) * d + sp) // (2 * sp)
            return x if -2**63 <= x < 2**63 else None
        if v.kind == REAL:
            a, b = dbl(v.v), dbl(o.v)
            x = a + (a - b) * (d / sp)
            if x != x or abs(x) == float("inf"): return None
            cl = c.cls[mode] if c is not None and c.cls[mode] is not None else least(a)
            r = rounded(cl, x)
            return None if r is None or abs(r) == float("inf") else bits(r)
        return None
    def predict(s, ref, c):
        if c is not None and c.score[ref[0]] < 0:
            x = s.cont(ref, c)
            if x is not None: return x
        return ref[1].v
    def predicted(s, ref, c, key):
        n = ref[1]
        out = Node(n.kind, n.v if n.kind in (LIST, DICT, TAG, TEXT, BYTES) else s.predict(ref, c), key)
        if n.kind == TAG: out.kids = [s.predicted(s.tagged(ref), c and c.kids.get("any"), None)]
        if n.kind == LIST:
            refs = s.elements(ref)
            for i in range(len(n.kids)):
                k = i if len(n.kids) <= 4 else "any"
                out.kids.append(s.predicted(refs(i), c and c.kids.get(k), None))
        if n.kind == DICT:
            for kid in n.kids:
                k = "any" if n.is_map() else kid.key
                out.kids.append(s.predicted((ref[0], kid, ref[2].find(kid.key) if ref[2] else None), c and c.kids.get(k), kid.key))
        return out
    def tagged(s, ref): return (ref[0], ref[1].kids[0], ref[2].kids[0] if ref[2] and ref[2].kind == TAG else None)
    def elements(s, ref):
        mode, v, o = ref
        old = o.kids if o is not None and o.kind == LIST else None
        state = {"next": 0}
        def get(i):
            e = v.kids[i]; ident = e.identity(); f = None
            if ident is not None:
                if old is not None:
                    n = state["next"]
                    if n < len(old) and old[n].identity() == ident: f = n
                    else: f = next((j for j, k in enumerate(old) if k.identity() == ident), None)
                    if f is not None: state["next"] = f + 1
            elif old is not None and len(old) == len(v.kids): f = i
            return (mode, e, old[f] if f is not None else None)
        return get
    def node(s, ref, c, key):
        if ref is not None:
            mode = ref[0]
            p = s.bit(c.m[3 * mode + s.before]); s.before = 1 if p else 2
            if p:
                n = s.predicted(ref, c, key)
                if n.kind not in (LIST, DICT, TAG): s.learn(n, ref, c)
                return n
            kind = ref[1].kind if s.bit(c.m[6 + mode]) else s.bits_tree(c.m, 8, 4)
        else:
            s.before = 2; mode = 1
            kind = s.bits_tree(c.m, 8, 4)
        n = Node(kind, None, key)
        at = 174 if mode else 52
        if kind in (INT, LARGE, SMALL, SIMPLE):
            start = s.predict(ref, c) if ref is not None and ref[1].kind == kind else 0
            x = (start + s.signed(c, at)) & M64
            n.v = s64(x) if kind == INT else x
        elif kind == REAL:
            real = ref is not None and ref[1].kind == REAL
            pred = dbl(s.predict(ref, c)) if real else 0.0
            e = c.cls[mode]
            if e is None: e = least(dbl(ref[1].v)) if real else 0
            cl = e if s.bit(c.m[40 + mode]) else s.bits_tree(c.m, 42, 3)
            c.cls[mode] = cl
            n.v = bits(unplace(cl, s64(place(cl, pred) + s.signed(c, at))))
        elif kind in (TEXT, BYTES):
            if s.bit(c.m[30]): n.v = c.recent[s.bits_tree(c.m, 32, 3)][1]
            else: n.v = s.string(c)
        elif kind == TAG:
            s.before = 0
            n.v = s.number(c, 296)
            n.kids = [s.node(s.tagged(ref) if ref is not None and ref[1].kind == TAG else None, s.child(c, "any"), None)]
            s.before = 2
        elif kind == LIST: s.before = 0; s.list(n, ref, c); s.before = 2
        elif kind == DICT: s.before = 0; s.dict(n, ref, c); s.before = 2
        if kind not in (LIST, DICT, TAG): s.learn(n, ref, c)
        return n
    def string(s, c):
        out = bytearray()
        for _ in range(s.number(c, 418)):
            k = 0 if not out else 1 if 0x61 <= out[-1] <= 0x7a else 2 if 0x30 <= out[-1] <= 0x39 else 3
            out.append(s.bits_tree(s.text[k], 0, 8))
        return bytes(out)
    def learn(s, n, ref, c):
        if ref is not None:
            x = s.cont(ref, c); v = ref[1]
            if x is not None and n.kind == v.kind and x != v.v:
                if n.kind == REAL: go, stay = abs(dbl(n.v) - dbl(x)), abs(dbl(n.v) - dbl(v.v))
                else: go, stay = abs(s64(n.v - x)), abs(s64(n.v - v.v))
                if go < stay: c.score[ref[0]] = max(-8, c.score[ref[0]] - 1)
                elif go > stay: c.score[ref[0]] = min(8, c.score[ref[0]] + 1)
            if n.kind in (TEXT, BYTES) and v.kind in (TEXT, BYTES): s.remember(v, c)
        if n.kind in (TEXT, BYTES): s.remember(n, c)
    def remember(s, n, c):
        t = (n.kind, n.v)
        if t in c.recent: c.recent.remove(t)
        c.recent.insert(0, t); del c.recent[8:]
    def dict(s, n, ref, c):
        r = ref[1] if ref is not None and ref[1].kind == DICT else None
        is_map = s.bit(c.m[26]); keys = []
        same = False
        if r is not None:
            same = s.bit(c.m[24])
            if same: keys = [k.key for k in r.kids]
            else:
                for k in r.kids:
                    if s.bit((c if is_map else s.child(c, k.key)).m[25]): keys.append(k.key)
        if not same:
            for _ in range(s.number(c, 296)):
                if not is_map and s.bit(c.m[31]): keys.append(list(c.kids)[s.number(c, 418)])
                else:
                    kind = 0 if s.bit(c.m[50]) else 1
                    key = (kind, s.string(c)); keys.append(key)
                    if not is_map: s.child(c, key)
            keys.sort()
        last = before = None
        for key in keys:
            kid = r.find(key) if r is not None else None
            if kid is not None: e = (ref[0], kid, ref[2].find(key) if ref[2] is not None else None)
            else: e = (1, last, before) if is_map and last is not None else None
            k = s.node(e, s.child(c, "any" if is_map else key), key)
            n.kids.append(k); before, last = last, k
        assert n.is_map() == bool(is_map)
    def list(s, n, ref, c):
        r = ref[1] if ref is not None and ref[1].kind == LIST else None
        m = len(r.kids) if r is not None else 0
        diff = s.signed(c, 296); count = m + diff
        refs = s.elements(ref) if r is not None else None
        mode = ref[0] if r is not None else None
        told = mode == 0 and count > 0 and m > 0
        inplace = told and diff == 0 and s.bit(c.m[27])
        x = 0; last = before = None; used = set()
        for i in range(count):
            src = None
            if told:
                if inplace: src = i
                elif x < m and s.bit(c.m[28]): src = x
                elif s.bit(c.m[29]): src = None
                else: src = x + s.signed(c, 418)
            near = (1, last, before) if last is not None else None
            if m == 0: e = near
            elif mode == 1: e = refs(i) if count <= 4 and i < m else near
            elif src is not None:
                assert src not in used, "gone on from twice"
                used.add(src); e = refs(src); x = src + 1
            else: e = near or (1, r.kids[0], None)
            k = s.node(e, s.child(c, i if count <= 4 else "any"), None)
            n.kids.append(k); before, last = last, k

def state_hash(root):
    h = 0
    def mix(h, w): h = ((h ^ w) * 0x9e3779b97f4a7c15) & M64; return h ^ (h >> 32)
    def mixb(h, b):
        for i in range(0, len(b), 8): h = mix(h, int.from_bytes(b[i:i+8], "little"))
        return mix(h, len(b))
    def walk(n, h, top=False):
        if n.key is not None and not top: h = mix(h, mixb(mix(0, 1 if n.key[0] == 0 else 0), n.key[1]))
        if n.kind in (LIST, DICT): h = mix(h, n.kind | len(n.kids) << 8)
        else:
            h = mix(h, n.kind)
            if n.kind in (TEXT, BYTES): h = mixb(h, n.v)
            elif n.kind in (INT, LARGE, SMALL, REAL, TAG, SIMPLE): h = mix(h, n.v & M64)
        for k in n.kids: h = walk(k, h)
        return h
    return walk(root, 0, True)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "..", "Vectors", "state.json")) as file: chains = json.load(file)
    read = 0
    for chain in chains:
        trees = []
        for m in chain:
            at = lambda index: trees[index] if index >= 0 else None
            reader = Reader(bytes.fromhex(m["payload"]), at(m["base"]), at(m["older"]), m["distance"], m["span"])
            trees.append(reader.tree)
            read += 1
    print(f"state: {read} states of {len(chains)} rows were read as they were written")

if __name__ == "__main__":
    main()
