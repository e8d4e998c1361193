/**
 * Several tabs of one person share one name at the server, which lends them the same pairs. So tabs tell each other, in
 * the browser's storage, what they hold and what they answered: no pair is asked twice, and what a hidden tab holds may be
 * taken over by the one that is looked at. Without storage each tab is alone; the server keeps the newest answer anyway.
 */

import { uuid } from "./ids";
import type { Shelf } from "./outbox";

/** A record this old is of a tab that crashed: its leases have ended, too. */
export const STALE_MS = 120_000;
const SAID_KEPT = 100;

interface Record_ {
  at: number;
  seen: boolean;
  held: string[];
  said: string[];
}

interface Options {
  shelf: Shelf | null;
  origin: string;
  experiment: string;
  visible: () => boolean;
  now?: () => number;
  id?: string;
}

export class Tabs {
  private readonly prefix: string;
  private readonly id: string;
  private readonly now: () => number;

  constructor(private readonly options: Options) {
    this.prefix = `rlt-tab/${options.origin}/${options.experiment}/`;
    this.id = options.id ?? uuid();
    this.now = options.now ?? (() => Date.now());
  }

  /** Whether a storage event's key is about these tabs. */
  concerns(key: string | null): boolean {
    return key?.startsWith(this.prefix) ?? false;
  }

  /** Tell what this tab holds and has answered. */
  tell(held: string[], said: Iterable<string>): void {
    const mine: Record_ = { at: this.now(), seen: this.options.visible(), held, said: [...said].slice(-SAID_KEPT) };
    try {
      this.options.shelf?.setItem(this.prefix + this.id, JSON.stringify(mine));
    } catch {
      // Storage full: the other tabs do not know, which costs a question asked twice.
    }
  }

  /** Queries that other tabs show or have answered: not to be taken from a claim. */
  theirs(): { held: Set<string>; said: Set<string> } {
    const records = [...this.records().values()];
    return {
      held: new Set(records.filter(({ seen }) => seen).flatMap(({ held }) => held)),
      said: new Set(records.flatMap(({ said }) => said)),
    };
  }

  /** Queries this tab must give up although it holds them: answered there, or taken by a tab with the better right. */
  lost(): Set<string> {
    const out = new Set<string>();
    for (const [id, { seen, held, said }] of this.records()) {
      for (const query of said) out.add(query);
      if (seen && (!this.options.visible() || id < this.id)) for (const query of held) out.add(query);
    }
    return out;
  }

  leave(): void {
    this.options.shelf?.removeItem(this.prefix + this.id);
  }

  private records(): Map<string, Record_> {
    const shelf = this.options.shelf;
    const found = new Map<string, Record_>();
    const stale: string[] = [];
    for (let i = 0; shelf && i < shelf.length; i++) {
      const key = shelf.key(i);
      if (!key?.startsWith(this.prefix) || key === this.prefix + this.id) continue;
      const record = read(shelf.getItem(key));
      if (record && this.now() - record.at < STALE_MS) found.set(key.slice(this.prefix.length), record);
      else stale.push(key);
    }
    for (const key of stale) shelf?.removeItem(key);
    return found;
  }
}

function read(text: string | null): Record_ | null {
  try {
    const { at, seen, held, said } = JSON.parse(text ?? "") as Partial<Record_>;
    return typeof at === "number" && Array.isArray(held) && Array.isArray(said) ? { at, seen: seen === true, held, said } : null;
  } catch {
    return null;
  }
}
