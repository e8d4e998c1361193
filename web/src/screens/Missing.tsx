/** What an address leads to that names a page, an experiment or a run that is not there. */

import { Shell } from "./Shell";

export function Missing({ message }: { message: string }) {
  return (
    <Shell title="Not here">
      <div class="quiet" data-testid="missing">
        <h2>There is nothing at this address</h2>
        <p>{message}</p>
        <p class="soft">It may have been another server's, or your link may be for another experiment.</p>
        <a class="button primary" href="#/">See the experiments there are</a>
      </div>
    </Shell>
  );
}
