/** A part of a screen that shows what was learned: its name, what it means, and a way to ask anew. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Asked } from "./ask";

interface Props {
  title: string;
  /** One sentence on what is shown. */
  what: ComponentChildren;
  asked?: Asked<unknown>;
  /** Becomes true when the panel comes near the window: only then is it asked for. */
  near?: (near: boolean) => void;
  id: string;
  children?: ComponentChildren;
}

export function Panel({ title, what, asked, near, id, children }: Props) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!near || !place.current) return undefined;
    const watch = new IntersectionObserver((entries) => entries.some((one) => one.isIntersecting) && near(true), {
      rootMargin: "150px",
    });
    watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  return (
    <section class="panel" ref={place} aria-labelledby={`${id}-title`} data-testid={id}>
      <div class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {asked && (
          <button type="button" class="small" disabled={asked.busy} onClick={asked.again}>
            {asked.busy ? "Asking…" : "Look again"}
          </button>
        )}
      </div>
      <p class="soft">{what}</p>
      {asked?.line && <p class="notice" role="status">{asked.line}</p>}
      {children}
    </section>
  );
}

/** Whether a panel has come near the window. */
export function useNearness(): [boolean, (near: boolean) => void] {
  return useState(false);
}
