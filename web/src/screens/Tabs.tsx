/** From one screen of an experiment to the others. */

import { link } from "../route";
import type { Experiment } from "../types";

const TABS = [["teach", "Teach"], ["answers", "Answers"], ["people", "People"], ["settings", "Settings"], ["watch", "Watch"]] as const;

interface Props {
  /** The experiment's. */
  id: string;
  here: (typeof TABS)[number][0];
  /** There is nothing to watch before the first one. */
  run: Pick<NonNullable<Experiment["run"]>, "name"> | null | undefined;
}

export function Tabs({ id, here, run }: Props) {
  return (
    <nav class="tabs" aria-label="Experiment">
      {TABS.map(([screen, text]) => {
        const to = screen === "watch" ? run?.name : id;
        return to && <a key={screen} href={link(screen, to)} aria-current={screen === here ? "page" : undefined}>{text}</a>;
      })}
    </nav>
  );
}
