/** What every screen has: the bar with its name and whether all answers are saved. */

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import { outbox, signIn } from "../app";
import type { Delivery } from "../outbox";
import { filming } from "../player/films";

interface Props {
  title: string;
  /** Stands at the right end of the bar. */
  tools?: ComponentChildren;
  /** Fill the window instead of scrolling. */
  whole?: boolean;
  children?: ComponentChildren;
}

export function Shell({ title, tools, whole, children }: Props) {
  useEffect(() => {
    document.title = title ? `${title} · RL-Teacher` : "RL-Teacher";
  }, [title]);
  return (
    <div class={whole ? "page whole" : "page"}>
      <header class="bar">
        <a class="brand" href="#/" aria-label="RL-Teacher: all experiments">
          <span>RL-Teacher</span>
        </a>
        <h1>{title}</h1>
        <Delivered />
        {tools}
      </header>
      <main>
        <Refused />
        {!whole && <Filming />}
        {children}
      </main>
    </div>
  );
}

/** The line that says where the answers are. */
export function deliveryText(delivery: Delivery): string {
  if (delivery.state === "saved") return "saved";
  const { n, fragile } = delivery;
  if (delivery.state === "saving") return `saving ${n}…`;
  if (delivery.state === "stranger") return `${n} of another link kept here`;
  return fragile ? `offline, ${n} here: leave this tab open` : `offline, ${n} kept here`;
}

function Delivered() {
  const delivery = outbox.delivery.value;
  if (delivery.state === "saved" && signIn.value.state !== "in") return null;
  // Each answer is saving, then saved: only what is out of the ordinary is read aloud.
  const news = delivery.state === "offline" ? "Offline; answers are kept here and sent later." : "";
  return (
    <>
      <span class={`delivery ${delivery.state}`} data-testid="delivery">{deliveryText(delivery)}</span>
      <span class="sr-only" role="status">{news}</span>
    </>
  );
}

/** Why clips take a while on a browser that cannot draw them; the teaching screen says it in the clips' place. */
function Filming() {
  return filming.value ? <p class="notice" role="status" data-testid="filming">{filming.value}</p> : null;
}

function Refused() {
  const lines = outbox.refused.value;
  if (lines.length === 0) return null;
  return (
    <div class="notice bad" role="alert">
      <p>
        The server did not take {lines.length === 1 ? "an answer" : `${lines.length} answers`}: {lines[lines.length - 1]}
      </p>
      <button type="button" onClick={() => (outbox.refused.value = [])}>
        OK
      </button>
    </div>
  );
}
