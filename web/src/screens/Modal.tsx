/** A dialog over the page; Escape and the backdrop close it. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  title: string;
  close: () => void;
  /** Pressed again, these keys close it too. */
  closeKeys?: string[];
  children: ComponentChildren;
}

export function Modal({ title, close, closeKeys = [], children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current!.showModal();
  }, []);
  const onKey = (event: KeyboardEvent) => {
    if (!event.repeat && closeKeys.includes(event.key.toLowerCase())) close();
    // Keys of the screen below mean nothing while the dialog is open.
    event.stopPropagation();
  };
  return (
    <dialog
      ref={dialog}
      aria-label={title}
      onClose={close}
      onKeyDown={onKey}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="modal">
        <h2>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}
