/**
 * Answers on their way to the server. An answer is written to the browser's storage before anything is sent and leaves
 * it only when the server has acknowledged it, so closing the page, a lost network or a killed server lose nothing.
 * Sending again is harmless: the server knows an answer by its id.
 */

import { signal } from "@preact/signals";

import { ApiError } from "./api";
import type { LabelOut, Saved } from "./types";

export interface Entry {
  experiment: string;
  /** Milliseconds since 1970, only for the order. */
  at: number;
  label: LabelOut;
}

export type Delivery = { state: "saved" } | { state: "saving"; n: number } | { state: "offline"; n: number };

/** The part of localStorage that is needed; a page without storage still works from memory. */
export interface Shelf {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

interface Options {
  shelf: Shelf | null;
  origin: string;
  send: (label: LabelOut) => Promise<Saved>;
  saved?: (entry: Entry, saved: Saved) => void;
  /** The session has ended: nothing can be delivered before the person signs in again. */
  locked?: () => void;
  wait?: (ms: number) => Promise<void>;
}

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8_000;

export class Outbox {
  readonly delivery = signal<Delivery>({ state: "saved" });
  /** What the server refused for good, for the person to read. */
  readonly refused = signal<string[]>([]);
  private entries: Entry[] = [];
  private running = false;
  private failures = 0;
  private wake: (() => void) | null = null;
  private last = 0;

  constructor(private readonly options: Options) {
    this.entries = this.stored();
    this.show();
  }

  /** How many answers the server has not acknowledged yet. */
  get n(): number {
    return this.entries.length;
  }

  /** Whether an answer to this query is still on its way. */
  holds(query: string): boolean {
    return this.entries.some((entry) => entry.label.query_id === query);
  }

  /** Keep an answer and send it as soon as possible, after those before it. */
  put(experiment: string, label: LabelOut): void {
    // Two answers within one millisecond must keep their order after a reload.
    this.last = Math.max(Date.now(), this.last + 1);
    const entry: Entry = { experiment, at: this.last, label };
    this.entries.push(entry);
    this.write(entry);
    this.show();
    void this.flush();
  }

  /** Try now, whatever the back-off says: called when the network comes back. */
  retry(): void {
    this.failures = 0;
    this.wake?.();
    void this.flush();
  }

  /** Send all there is, oldest first, one at a time; returns when nothing is left or nothing can be sent. */
  async flush(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      while (this.entries.length > 0 && (await this.step(this.entries[0]!)));
    } finally {
      this.running = false;
    }
  }

  private async step(entry: Entry): Promise<boolean> {
    try {
      const saved = await this.options.send(entry.label);
      this.failures = 0;
      this.drop(entry);
      this.options.saved?.(entry, saved);
      return true;
    } catch (error) {
      return this.failed(entry, error);
    }
  }

  private async failed(entry: Entry, error: unknown): Promise<boolean> {
    if (error instanceof ApiError && error.status === 401) {
      this.failures += 1;
      this.show();
      this.options.locked?.();
      return false;
    }
    if (error instanceof ApiError && !error.passing) {
      this.refused.value = [...this.refused.value, error.message];
      this.drop(entry);
      return true;
    }
    this.failures += 1;
    this.show();
    await this.pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.failures - 1)));
    return true;
  }

  private async pause(ms: number): Promise<void> {
    const wait = this.options.wait ?? ((time: number) => new Promise<void>((done) => setTimeout(done, time)));
    await Promise.race([wait(ms), new Promise<void>((done) => (this.wake = done))]);
    this.wake = null;
  }

  private drop(entry: Entry): void {
    this.entries = this.entries.filter((other) => other !== entry);
    this.options.shelf?.removeItem(this.name(entry));
    this.show();
  }

  private show(): void {
    const n = this.entries.length;
    if (n === 0) this.delivery.value = { state: "saved" };
    else this.delivery.value = { state: this.failures > 0 ? "offline" : "saving", n };
  }

  // One storage item per answer, so that two tabs never overwrite each other's.
  private name(entry: Entry): string {
    return `${this.prefix()}${entry.experiment}/${entry.label.id}`;
  }

  private prefix(): string {
    return `rlt-outbox/${this.options.origin}/`;
  }

  private write(entry: Entry): void {
    try {
      this.options.shelf?.setItem(this.name(entry), JSON.stringify(entry));
    } catch {
      // Storage full or forbidden: the answer is still in memory and the status line still counts it.
    }
  }

  private stored(): Entry[] {
    const found: Entry[] = [];
    const shelf = this.options.shelf;
    for (let i = 0; shelf && i < shelf.length; i++) {
      const key = shelf.key(i);
      const entry = key?.startsWith(this.prefix()) ? read(shelf.getItem(key)) : null;
      if (entry) found.push(entry);
    }
    return found.sort((a, b) => a.at - b.at);
  }
}

function read(text: string | null): Entry | null {
  try {
    const entry = JSON.parse(text ?? "") as Entry;
    return typeof entry.label?.id === "string" ? entry : null;
  } catch {
    return null;
  }
}
