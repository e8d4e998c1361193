import { beforeEach, describe, expect, it } from "vitest";

import type { Clip } from "./player/poses";
import { Teaching } from "./teaching";
import type { Claim, ClipRef, LabelOut } from "./types";

const ref = (id: string) => ({ clip_id: id, kind: "poses" }) as ClipRef;
const claimOf = (n: number, swapped = false): Claim => ({
  query_id: `q${n}`, lease: `l${n}`, lease_expires_at: 0, swapped, left: ref(`q${n}-left`), right: ref(`q${n}-right`),
});
const settle = () => new Promise((done) => setTimeout(done, 2));
const left = { do: "answer", verdict: "LEFT", strength: "PLAIN", key: "ArrowLeft" } as const;

let offered: Claim[];
let asked: number[];
let released: string[];
let put: LabelOut[];
let now: number;
let lost: Set<string>;
let teaching: Teaching;
let others: { held: Set<string>; said: Set<string> };
let told: string[][];

beforeEach(() => {
  [offered, asked, released, put, now] = [[1, 2, 3, 4].map((n) => claimOf(n)), [], [], [], 1000];
  lost = new Set();
  others = { held: new Set(), said: new Set() };
  told = [];
  teaching = new Teaching({
    experiment: "e",
    outbox: { put: (_, label) => void put.push(label), holds: () => false, n: 0 },
    load: async (clip) => ({ kind: "poses", ref: clip }) as Clip,
    client: {
      claim: async (_, n) => (asked.push(n), offered.slice(0, n)),
      release: async (lease) => void released.push(lease),
      heartbeat: async (leases) => ({ leases: leases.filter((lease) => !lost.has(lease)).map((lease) => ({ lease })) }),
    },
    now: () => now,
    tabs: {
      tell: (held) => void told.push(held),
      theirs: () => others,
      lost: () => new Set([...others.held, ...others.said]),
      leave: () => void told.push([]),
    },
  });
});

const shown = () => teaching.showing.value?.pair.claim.query_id;

async function see(): Promise<void> {
  await settle();
  teaching.drawn(teaching.showing.value!.turn);
  now += 1000;
}

describe("teaching", () => {
  it("shows the first pair and keeps three", async () => {
    await teaching.fill();
    await settle();
    expect(shown()).toBe("q1");
    await teaching.fill();
    expect(asked).toEqual([3]);
  });

  it("takes one answer per pair and shows the next at once", async () => {
    await teaching.fill();
    expect(teaching.answer(left)).toBe(false);
    await see();
    expect(teaching.answer(left)).toBe(true);
    expect(shown()).toBe("q2");
    expect(teaching.answer(left)).toBe(false);
    expect(put.map((label) => [label.query_id, label.verdict, label.seconds])).toEqual([["q1", "LEFT", 1]]);
  });

  it("answers in terms of the query when the sides were swapped", async () => {
    offered = [claimOf(1, true)];
    await teaching.fill();
    await see();
    expect(teaching.showing.value!.pair.clips[0].ref.clip_id).toBe("q1-right");
    teaching.answer(left);
    expect(put[0]).toMatchObject({ verdict: "RIGHT", swapped: true });
  });

  it("never shows an answered pair again, even when the server still lends it", async () => {
    await teaching.fill();
    await see();
    teaching.answer(left);
    await teaching.fill(true);
    await settle();
    for (let i = 0; i < 2; i++) {
      expect(shown()).not.toBe("q1");
      await see();
      teaching.answer(left);
    }
  });

  it("undoes: withdraws, shows that pair at once, and the one after it next", async () => {
    await teaching.fill();
    await see();
    teaching.answer(left);
    expect(teaching.undo("Backspace")).toBe(true);
    expect(put[1]).toMatchObject({ query_id: "q1", verdict: "WITHDRAWN" });
    expect(shown()).toBe("q1");
    await see();
    teaching.answer({ ...left, verdict: "TIE" });
    expect(shown()).toBe("q2");
    expect(new Set(put.map((label) => label.id)).size).toBe(3);
  });

  it("undoes ten answers at most", async () => {
    offered = Array.from({ length: 20 }, (_, n) => claimOf(n));
    for (let i = 0; i < 12; i++) {
      offered = offered.slice(i === 0 ? 0 : 1);
      await teaching.fill();
      await see();
      expect(teaching.answer(left)).toBe(true);
    }
    let n = 0;
    while (teaching.undo("Backspace")) n++;
    expect(n).toBe(10);
  });

  it("gives everything back when it is left", async () => {
    await teaching.fill();
    await settle();
    teaching.close();
    expect(released.sort()).toEqual(["l1", "l2", "l3"]);
    expect(shown()).toBeUndefined();
  });

  it("takes a new lease for a pair it holds and leaves its sides alone", async () => {
    await teaching.fill();
    await see();
    offered = [{ ...claimOf(1, true), lease: "new" }];
    await teaching.fill(true);
    teaching.answer(left);
    expect(put[0]).toMatchObject({ lease: "new", swapped: false, verdict: "LEFT" });
  });

  it("drops pairs it has lost to others, but not the one on the screen", async () => {
    await teaching.fill();
    await see();
    lost = new Set(["l1", "l2"]);
    await teaching.heartbeat();
    teaching.answer(left);
    expect(put[0]).toMatchObject({ query_id: "q1" });
    expect(shown()).toBe("q3");
  });

  it("keeps the strength of an answer and tells what was said, as the person saw it", async () => {
    offered = [claimOf(1, true)];
    await teaching.fill();
    await see();
    teaching.answer({ ...left, strength: "SLIGHT", key: "3" });
    expect(put[0]).toMatchObject({ verdict: "RIGHT", strength: "SLIGHT", key: "3", swapped: true });
    expect(teaching.last.value).toEqual({ verdict: "LEFT", strength: "SLIGHT", n: 1 });
    teaching.undo("tap");
    expect(teaching.last.value).toMatchObject({ verdict: "WITHDRAWN", n: 2 });
  });

  it("takes no answer while a dialog covers the pair, and does not count that time", async () => {
    await teaching.fill();
    teaching.looking(false);
    await see();
    expect(teaching.answer(left)).toBe(false);
    teaching.looking(true);
    now += 500;
    expect(teaching.answer(left)).toBe(true);
    expect(put[0]!.seconds).toBe(0.5);
  });

  it("asks around what another tab holds, and tells it what this one does", async () => {
    others.held = new Set(["q1"]);
    await teaching.fill();
    await settle();
    expect(asked).toEqual([4]);
    expect(shown()).toBe("q2");
    expect(told.at(-1)).toEqual(["q2", "q3", "q4"]);
    teaching.close();
    expect(told.at(-1)).toEqual([]);
  });

  it("gives up what another tab has answered or taken, also on the screen", async () => {
    await teaching.fill();
    await see();
    others.said = new Set(["q1", "q2"]);
    teaching.makeWay();
    expect(shown()).toBe("q3");
    expect(released).toEqual([]);
    await see();
    expect(teaching.answer(left)).toBe(true);
  });
});
