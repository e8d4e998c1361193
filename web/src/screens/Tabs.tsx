/** From one screen of an experiment to the others. */

import { link } from "../route";

const TABS = [["teach", "Teach"], ["answers", "Answers"], ["people", "People"], ["settings", "Settings"]] as const;

export function Tabs({ id, here }: { id: string; here: (typeof TABS)[number][0] }) {
  return (
    <nav class="tabs" aria-label="Experiment">
      {TABS.map(([screen, text]) => (
        <a key={screen} href={link(screen, id)} aria-current={screen === here ? "page" : undefined}>{text}</a>
      ))}
    </nav>
  );
}
