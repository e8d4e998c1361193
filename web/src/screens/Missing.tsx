/** What an address leads to that names a page, an experiment or a run that is not there, or not for this person. */

import { Shell } from "./Shell";

interface Props {
  message: string;
  title?: string;
  hint?: string;
}

export function Missing({
  message,
  title = "There is nothing at this address",
  hint = "It may have been another server's, or your link may be for another experiment.",
}: Props) {
  return (
    <Shell title="Not here">
      <div class="quiet" data-testid="missing">
        <h2>{title}</h2>
        <p>{message}</p>
        <p class="soft">{hint}</p>
        <a class="button primary" href="#/">See the experiments there are</a>
      </div>
    </Shell>
  );
}
