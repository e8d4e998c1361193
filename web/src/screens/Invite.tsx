/** A link for people who are to answer, as text and as a picture for phones. */

import { useEffect, useState } from "preact/hooks";

import { signedOut } from "../app";
import { api } from "../api";
import { ago } from "../format";
import type { Invite, InviteMade } from "../types";
import { Modal } from "./Modal";

const DAYS = 30;

/** Opens the dialog; `experiment` null invites to all of them. */
export function InviteButton({ experiment }: { experiment: string | null }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>Invite</button>
      {open && <Invitation experiment={experiment} close={() => setOpen(false)} />}
    </>
  );
}

function Invitation({ experiment, close }: { experiment: string | null; close: () => void }) {
  const [made, setMade] = useState<InviteMade | null>(null);
  const [others, setOthers] = useState<Invite[]>([]);
  const [problem, setProblem] = useState("");
  const attempt = async (task: () => Promise<void>) => {
    try {
      await task();
      setProblem("");
    } catch (error) {
      if (!signedOut(error)) setProblem((error as Error).message);
    }
  };
  const look = () =>
    attempt(async () => setOthers((await api.invites()).filter((one) => one.experiment_id === experiment)));
  useEffect(() => void look(), [experiment]);
  const make = () =>
    attempt(async () => {
      setMade(await api.invite(experiment, DAYS));
      await look();
    });
  const end = (id: string) =>
    attempt(async () => {
      await api.endInvite(id);
      if (made?.invite.id === id) setMade(null);
      await look();
    });
  return (
    <Modal title="Invite people" close={close}>
      <p>
        Whoever opens the link gives a name and answers {experiment ? "this experiment" : "all experiments"}. One link
        does for many people. It works for {DAYS} days.
      </p>
      {made ? <Link made={made} /> : (
        <div class="row"><button type="button" class="primary" onClick={() => void make()}>Make a link</button></div>
      )}
      {problem && <p class="notice bad" role="alert">{problem}</p>}
      {others.length > 0 && <h3>Links that work now</h3>}
      <ul class="plain-list">
        {others.map((one) => (
          <li class="row" key={one.id}>
            <span>
              made {ago(one.created_at, Date.now() / 1000)}, {one.n_people === 1 ? "1 person" : `${one.n_people} people`}
            </span>
            <button type="button" class="small" onClick={() => void end(one.id)}>End it</button>
          </li>
        ))}
      </ul>
      <div class="row"><button type="button" onClick={close}>Close</button></div>
    </Modal>
  );
}

function Link({ made }: { made: InviteMade }) {
  return (
    <div class="invitation" data-testid="invitation">
      {made.local && (
        <p class="notice">
          Only this computer can open it: the page is not served to the network. Start it with{" "}
          <code>rl-teacher serve --share</code>, or teach with <code>--host 0.0.0.0</code>.
        </p>
      )}
      <label class="field">
        Link
        <input readOnly value={made.url} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <img src={`data:image/svg+xml,${encodeURIComponent(made.qr_svg)}`} alt="The link as a QR code" />
      <p class="soft">It is shown only now. Who loses it gets a new one here.</p>
    </div>
  );
}
