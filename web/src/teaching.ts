/** The teaching screen's state: pairs fetched ahead, the pair on the screen, answers given, undo. No DOM in here. */

import { signal } from "@preact/signals";

import { api, ApiError, OfflineError } from "./api";
import { Guard } from "./guard";
import { uuid } from "./ids";
import type { Answer, Choice } from "./keys";
import type { Outbox } from "./outbox";
import { type Clip, rendererOf } from "./player/poses";
import { onScreen, unswap } from "./sides";
import type { Tabs } from "./tabs";
import type { Claim, LabelOut, Strength, Verdict } from "./types";

export interface Pair {
  claim: Claim;
  /** In the order of the screen. */
  clips: [Clip, Clip];
}

/** What the screen shows: the pair, and a number that changes each time one comes on the screen. */
export interface Showing {
  pair: Pair;
  turn: number;
}

/** What was done last, as the person saw the sides; `n` counts up, so that the same answer twice is news, too. */
export interface Deed {
  verdict: Choice | "WITHDRAWN";
  strength: Strength;
  n: number;
}

interface Parts {
  experiment: string;
  outbox: Pick<Outbox, "put" | "holds" | "n">;
  load: (ref: Claim["left"]) => Promise<Clip>;
  client?: Pick<typeof api, "claim" | "release" | "heartbeat">;
  now?: () => number;
  /** The same person's other tabs; none where it is left out. */
  tabs?: Pick<Tabs, "tell" | "theirs" | "lost" | "leave">;
}

const AHEAD = 3;
const UNDO = 10;
const MOST_CLAIMED = 20;
const NOBODY = { tell: () => undefined, theirs: () => ({ held: new Set<string>(), said: new Set<string>() }), lost: () => new Set<string>(), leave: () => undefined };

export class Teaching {
  readonly showing = signal<Showing | null>(null);
  /** One line for the person where something is wrong, "" where not. */
  readonly problem = signal("");
  /** How many answers can be undone. */
  readonly undoable = signal(0);
  readonly last = signal<Deed | null>(null);
  /** False until the server has told once whether there are questions. */
  readonly asked = signal(false);
  readonly guard = new Guard();
  private queue: Pair[] = [];
  private history: Pair[] = [];
  private readonly loading = new Set<string>();
  private readonly answered = new Set<string>();
  private readonly broken = new Set<string>();
  private readonly client: Pick<typeof api, "claim" | "release" | "heartbeat">;
  private readonly now: () => number;
  private readonly tabs: NonNullable<Parts["tabs"]>;
  private claiming = false;
  private closed = false;
  private turn = 0;

  constructor(private readonly parts: Parts) {
    this.client = parts.client ?? api;
    this.now = parts.now ?? (() => performance.now());
    this.tabs = parts.tabs ?? NOBODY;
  }

  /** Claim pairs until enough are ready. `renew` asks even then, which brings the held pairs' new leases. */
  async fill(renew = false): Promise<void> {
    if (this.claiming || this.closed || (!renew && this.held().length + this.loading.size >= AHEAD)) return;
    this.claiming = true;
    try {
      // Those that cannot be used come with each claim; ask for as many more.
      const unusable = this.parts.outbox.n + this.broken.size + this.tabs.theirs().held.size;
      const claims = await this.client.claim(this.parts.experiment, Math.min(MOST_CLAIMED, AHEAD + unusable));
      this.problem.value = "";
      const theirs = this.tabs.theirs();
      for (const claim of claims) {
        if (!theirs.held.has(claim.query_id) && !theirs.said.has(claim.query_id)) this.take(claim);
      }
      if (this.loading.size === 0) this.asked.value = true;
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) this.problem.value = (error as Error).message;
    } finally {
      this.claiming = false;
    }
  }

  /** Whether the pair can be looked at: no dialog covers it, and the tab is in front. */
  looking(on: boolean): void {
    if (on) this.guard.back(this.now());
    else this.guard.away(this.now());
  }

  /** Both clips of the pair on the screen have been drawn. */
  drawn(turn: number): void {
    if (this.showing.value?.turn === turn) this.guard.drawn(this.now());
  }

  /** Answer the pair on the screen; false where it cannot be answered yet. */
  answer({ verdict, strength, key }: Answer): boolean {
    const current = this.showing.value;
    const seconds = this.guard.seconds(this.now());
    if (!current || !this.guard.take(this.now())) return false;
    this.post(current.pair, { verdict: unswap(verdict, current.pair.claim.swapped), strength, seconds, key });
    this.did(verdict, strength);
    this.answered.add(current.pair.claim.query_id);
    this.history = [...this.history, current.pair].slice(-UNDO);
    this.undoable.value = this.history.length;
    this.next();
    void this.fill();
    return true;
  }

  /** Take the last answer back and show its pair again; false where there is none. */
  undo(key: string): boolean {
    const last = this.history.pop();
    if (!last) return false;
    this.undoable.value = this.history.length;
    this.post(last, { verdict: "WITHDRAWN", strength: "PLAIN", seconds: 0, key });
    this.did("WITHDRAWN", "PLAIN");
    this.answered.delete(last.claim.query_id);
    const current = this.showing.value;
    if (current) this.queue.unshift(current.pair);
    this.show(last);
    return true;
  }

  /** Tell the server that the held pairs are still being looked at. */
  async heartbeat(): Promise<void> {
    const leases = this.held().map((pair) => pair.claim.lease);
    if (leases.length === 0 || this.closed) return;
    this.tell();
    try {
      const kept = new Set((await this.client.heartbeat(leases)).leases.map(({ lease }) => lease));
      // What was lost while this computer slept is somebody else's now; the pair on the screen may still be answered.
      this.queue = this.queue.filter(({ claim }) => kept.has(claim.lease) || !leases.includes(claim.lease));
    } catch (error) {
      this.problem.value = (error as Error).message;
    }
  }

  /** Give up what another tab has answered, or has the better right to. */
  makeWay(): void {
    const lost = this.tabs.lost();
    this.queue = this.queue.filter(({ claim }) => !lost.has(claim.query_id));
    const current = this.showing.value;
    if (current && lost.has(current.pair.claim.query_id)) this.next();
  }

  /** Tell the other tabs what this one holds: it came to the front, or went to the back. */
  tell(): void {
    if (this.closed) return;
    this.tabs.tell(this.held().map(({ claim }) => claim.query_id), this.answered);
  }

  /** Give all held pairs back: the page is left. */
  close(): void {
    this.closed = true;
    for (const pair of this.held()) this.letGo(pair.claim);
    this.queue = [];
    this.showing.value = null;
    this.tabs.leave();
  }

  /** The page came back from the browser's memory. */
  reopen(): void {
    this.closed = false;
    void this.fill();
  }

  private held(): Pair[] {
    const current = this.showing.value;
    return current ? [current.pair, ...this.queue] : this.queue;
  }

  private take(claim: Claim): void {
    const id = claim.query_id;
    const mine = this.held().find((pair) => pair.claim.query_id === id);
    if (mine) {
      // The same pair on a new lease; its sides stay as they are being shown.
      mine.claim = { ...claim, swapped: mine.claim.swapped };
      return;
    }
    if (this.answered.has(id) || this.loading.has(id) || this.broken.has(id) || this.parts.outbox.holds(id)) return;
    this.loading.add(id);
    void this.loadPair(claim);
  }

  private async loadPair(claim: Claim): Promise<void> {
    try {
      const [left, right] = await Promise.all([this.parts.load(claim.left), this.parts.load(claim.right)]);
      this.ready({ claim, clips: onScreen({ left, right }, claim.swapped) });
    } catch (error) {
      // Offline: the next claim brings it again. A clip that cannot be shown is not offered a second time.
      if (error instanceof ApiError ? !error.passing : !(error instanceof OfflineError)) this.broken.add(claim.query_id);
      const gone = error instanceof ApiError && error.status === 404;
      this.problem.value = gone
        ? "One of the clips of a pair is missing, so the pair was taken back. The next one follows."
        : `A pair could not be loaded: ${(error as Error).message}`;
      this.letGo(claim);
    } finally {
      this.loading.delete(claim.query_id);
    }
  }

  private ready(pair: Pair): void {
    if (this.closed) return this.letGo(pair.claim);
    this.asked.value = true;
    if (this.showing.value) {
      this.queue.push(pair);
      this.tell();
    } else this.show(pair);
  }

  private letGo(claim: Claim): void {
    // Failing to give back is harmless: the lease ends by itself.
    this.client.release(claim.lease).catch(() => undefined);
  }

  private next(): void {
    this.show(this.queue.shift() ?? null);
  }

  private show(pair: Pair | null): void {
    this.guard.reset();
    this.turn += 1;
    this.showing.value = pair && { pair, turn: this.turn };
    this.tell();
  }

  private did(verdict: Deed["verdict"], strength: Strength): void {
    this.last.value = { verdict, strength, n: (this.last.value?.n ?? 0) + 1 };
  }

  private post(pair: Pair, said: { verdict: Verdict; strength: Strength; seconds: number; key: string }): void {
    const { query_id, lease, swapped } = pair.claim;
    const label: LabelOut = { id: uuid(), query_id, lease, swapped, renderer: rendererOf(pair.clips[0]), ...said };
    this.parts.outbox.put(this.parts.experiment, label);
  }
}
