/** A dialog over the page; Escape, the backdrop and the key that opened it close it, and the focus goes back. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { action, type Deed } from "../keys";
import { keymap } from "../keymap";

interface Props {
  title: string;
  close: () => void;
  /** Pressed again, this key closes it, too. */
  opener?: Deed;
  wide?: boolean;
  /** Buttons, which stay in sight however long the text is. */
  actions?: ComponentChildren;
  children: ComponentChildren;
}

export function Modal({ title, close, opener, wide = false, actions, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const body = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current!.showModal();
    return () => before?.isConnected && before !== document.body && before.focus();
  }, []);
  // What must be scrolled can be reached with the keyboard.
  useLayoutEffect(() => {
    const { scrollHeight, clientHeight } = body.current!;
    body.current!.tabIndex = scrollHeight > clientHeight + 1 ? 0 : -1;
  });
  const onKey = (event: KeyboardEvent) => {
    if (opener && action(event, keymap.value)?.do === opener) close();
    // Keys of the screen below mean nothing while the dialog is open.
    event.stopPropagation();
  };
  return (
    <dialog
      ref={dialog}
      class={wide ? "wide" : ""}
      aria-label={title}
      onClose={close}
      onKeyDown={onKey}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="modal">
        <h2>{title}</h2>
        <div class="modal-body" ref={body}>{children}</div>
        {actions && <div class="row">{actions}</div>}
      </div>
    </dialog>
  );
}
