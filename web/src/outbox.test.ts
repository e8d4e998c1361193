import { describe, expect, it } from "vitest";

import { ApiError, OfflineError } from "./api";
import { MemoryShelf } from "./memoryShelf";
import { ADOPT_MS, Outbox, type Shelf } from "./outbox";
import type { LabelOut, Saved } from "./types";

const label = (id: string): LabelOut => ({
  id, query_id: `q-${id}`, lease: null, verdict: "LEFT", strength: "PLAIN", seconds: 1, key: "ArrowLeft", swapped: false, renderer: "test",
});
const counts = { asked: 0, open: 0, answered: 0, decided: 0, left: 0, right: 0, tie: 0, abstain: 0 };
const ok: Saved = { seq: 1, repeated: false, late: false, counts };
const settle = () => new Promise((done) => setTimeout(done, 5));

function made(shelf: Shelf | null, send: (l: LabelOut) => Promise<Saved>, more = {}) {
  return new Outbox({ shelf, origin: "http://here:1", send, who: () => "ann", wait: () => settle().then(() => undefined), ...more });
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
    expect(box.delivery.value).toEqual({ state: "saving", n: 2, fragile: false });
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
    expect(box.delivery.value).toEqual({ state: "offline", n: 2, fragile: false });
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

  it("sends an answer in the name of the person who gave it, and of nobody else", async () => {
    const shelf = new MemoryShelf();
    made(shelf, () => new Promise(() => undefined)).put("e", label("a"));
    const sent: string[] = [];
    let who: string | undefined = "bob";
    const box = made(shelf, async (l) => (sent.push(l.id), ok), { who: () => who });
    box.put("e", label("b"));
    await settle();
    expect(sent).toEqual(["b"]);
    expect(box.delivery.value).toEqual({ state: "stranger", n: 1, fragile: false });
    who = undefined;
    await box.flush();
    expect(sent).toEqual(["b"]);
    who = "ann";
    await box.flush();
    expect(sent).toEqual(["b", "a"]);
    expect(box.delivery.value).toEqual({ state: "saved" });
  });

  it("keeps answers about another experiment for a link that opens it", async () => {
    const sent: string[] = [];
    let opened = "e";
    const box = made(new MemoryShelf(), async (l) => (sent.push(l.id), ok), { opens: (one: string) => one === opened });
    box.put("e", label("a"));
    box.put("other", label("b"));
    await settle();
    expect(sent).toEqual(["a"]);
    expect(box.delivery.value).toEqual({ state: "stranger", n: 1, fragile: false });
    expect(box.refused.value).toEqual([]);
    opened = "other";
    await box.flush();
    expect(sent).toEqual(["a", "b"]);
    expect(box.delivery.value).toEqual({ state: "saved" });
  });

  it("takes up what a closed tab left behind, and sends nothing twice that another tab delivered", async () => {
    const shelf = new MemoryShelf();
    let now = 0;
    const sent: string[] = [];
    const box = made(shelf, async (l) => (sent.push(l.id), ok), { now: () => now });
    const gone = made(shelf, () => new Promise(() => undefined), { now: () => now });
    gone.put("e", label("a"));
    gone.put("e", label("b"));
    box.adopt(ADOPT_MS);
    expect(box.n).toBe(0); // the other tab may be at it
    now = 2 * ADOPT_MS;
    box.adopt(ADOPT_MS);
    expect(box.n).toBe(2);
    shelf.removeItem("rlt-outbox/http://here:1/e/a");
    await box.flush();
    expect(sent).toEqual(["b"]);
    expect(box.n).toBe(0);
  });

  it("says when an answer is in this page's memory only, and stores it once there is room", async () => {
    const shelf = new MemoryShelf();
    let full = true;
    shelf.setItem = (key, value) => {
      if (full) throw new Error("QuotaExceededError");
      shelf.items.set(key, value);
    };
    let online = false;
    const box = made(shelf, async () => {
      if (!online) throw new OfflineError("away");
      return ok;
    });
    box.put("e", label("a"));
    await settle();
    expect(box.fragile).toBe(true);
    expect(box.delivery.value).toEqual({ state: "offline", n: 1, fragile: true });
    full = false;
    await settle();
    await settle();
    expect(box.fragile).toBe(false);
    expect(shelf.length).toBe(1);
    online = true;
    box.retry();
    await settle();
    expect(box.n).toBe(0);
    expect(made(null, () => new Promise(() => undefined)).fragile).toBe(false);
  });

  it("lets others pass an answer that the server stumbles over, but keeps the order within a question", async () => {
    const sent: string[] = [];
    let broken = true;
    const box = made(new MemoryShelf(), async (l) => {
      if (l.query_id === "q-a" && broken) throw new ApiError(500, "internal", "oh");
      sent.push(l.id);
      return ok;
    });
    box.put("e", label("a"));
    box.put("e", { ...label("a2"), query_id: "q-a" });
    box.put("e", label("b"));
    await settle();
    await settle();
    expect(sent).toEqual(["b"]);
    broken = false;
    box.retry();
    await settle();
    await settle();
    expect(sent).toEqual(["b", "a", "a2"]);
  });

  it("believes nobody but the server: a proxy's refusal or its kind words are no answer", async () => {
    const shelf = new MemoryShelf();
    const replies = [
      () => Promise.reject(new ApiError(403, "error", "sign in to the hotel", false)),
      () => Promise.reject(new ApiError(401, "error", "sign in to the hotel", false)),
      () => Promise.resolve({} as Saved),
      () => Promise.resolve(ok),
    ];
    let locked = 0;
    const box = made(shelf, () => replies.shift()!(), { locked: () => locked++ });
    box.put("e", label("a"));
    for (let i = 0; i < 6; i++) await settle();
    expect(replies).toEqual([]);
    expect(locked).toBe(0);
    expect(box.refused.value).toEqual([]);
    expect(box.n).toBe(0);
  });
});
