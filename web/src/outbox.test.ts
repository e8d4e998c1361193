import { describe, expect, it } from "vitest";

import { ApiError, OfflineError } from "./api";
import { Outbox, type Shelf } from "./outbox";
import type { LabelOut, Saved } from "./types";

class MemoryShelf implements Shelf {
  readonly items = new Map<string, string>();
  get length(): number {
    return this.items.size;
  }
  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null;
  }
  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }
  removeItem(key: string): void {
    this.items.delete(key);
  }
}

const label = (id: string): LabelOut => ({
  id, query_id: `q-${id}`, lease: null, verdict: "LEFT", strength: "PLAIN", seconds: 1, key: "ArrowLeft", swapped: false, renderer: "test",
});
const counts = { asked: 0, open: 0, answered: 0, left: 0, right: 0, tie: 0, abstain: 0 };
const ok: Saved = { seq: 1, repeated: false, late: false, counts };
const settle = () => new Promise((done) => setTimeout(done, 5));

function made(shelf: Shelf | null, send: (l: LabelOut) => Promise<Saved>, more = {}) {
  return new Outbox({ shelf, origin: "http://here:1", send, wait: () => settle().then(() => undefined), ...more });
}

describe("outbox", () => {
  it("sends in order and empties the shelf only after the acknowledgement", async () => {
    const shelf = new MemoryShelf();
    const sent: string[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((done) => (release = done));
    const box = made(shelf, async (l) => {
      sent.push(l.id);
      await gate;
      return ok;
    });
    box.put("e", label("a"));
    box.put("e", label("b"));
    expect(shelf.length).toBe(2);
    expect(box.delivery.value).toEqual({ state: "saving", n: 2 });
    release();
    await settle();
    expect(sent).toEqual(["a", "b"]);
    expect(shelf.length).toBe(0);
    expect(box.delivery.value).toEqual({ state: "saved" });
  });

  it("keeps trying while offline, says so, and loses nothing", async () => {
    const sent: string[] = [];
    let online = false;
    const box = made(new MemoryShelf(), async (l) => {
      if (!online) throw new OfflineError("away");
      sent.push(l.id);
      return ok;
    });
    box.put("e", label("a"));
    box.put("e", label("b"));
    await settle();
    expect(box.delivery.value).toEqual({ state: "offline", n: 2 });
    online = true;
    box.retry();
    await settle();
    await settle();
    expect(sent).toEqual(["a", "b"]);
    expect(box.delivery.value).toEqual({ state: "saved" });
  });

  it("takes up after a reload what was not acknowledged, in the order it was given", async () => {
    const shelf = new MemoryShelf();
    const never = made(shelf, () => new Promise(() => undefined));
    for (const id of ["c", "a", "b"]) never.put("e", label(id));
    const sent: string[] = [];
    const again = made(shelf, async (l) => {
      sent.push(l.id);
      return ok;
    });
    expect(again.n).toBe(3);
    await again.flush();
    expect(sent).toEqual(["c", "a", "b"]);
    expect(shelf.length).toBe(0);
  });

  it("tells of a refusal and goes on with the next answer", async () => {
    const sent: string[] = [];
    const box = made(new MemoryShelf(), async (l) => {
      if (l.id === "a") throw new ApiError(404, "not_found", "no such query");
      sent.push(l.id);
      return ok;
    });
    box.put("e", label("a"));
    box.put("e", label("b"));
    await settle();
    expect(box.refused.value).toEqual(["no such query"]);
    expect(sent).toEqual(["b"]);
  });

  it("keeps answers when the session has ended", async () => {
    const shelf = new MemoryShelf();
    let locked = 0;
    const box = made(
      shelf,
      async () => {
        throw new ApiError(401, "unauthorised", "sign in");
      },
      { locked: () => locked++ },
    );
    box.put("e", label("a"));
    await settle();
    expect(locked).toBe(1);
    expect(shelf.length).toBe(1);
    expect(box.n).toBe(1);
  });

  it("leaves another origin's and broken items alone", () => {
    const shelf = new MemoryShelf();
    shelf.setItem("rlt-outbox/http://there:2/e/x", JSON.stringify({ experiment: "e", at: 1, label: label("x") }));
    shelf.setItem("rlt-outbox/http://here:1/e/y", "{");
    expect(made(shelf, async () => ok).n).toBe(0);
  });
});
