/**
 * Dialogs, menus and popovers on Radix. None of them uses Radix' scroll lock: it writes a style tag, which the content
 * security policy refuses; the page itself never scrolls, so there is nothing to lock.
 */
import { EllipsisVertical, X } from "lucide-react";
import { Dialog, DropdownMenu, Popover as RadixPopover } from "radix-ui";
import type { ReactNode } from "react";
import { classes } from "./controls.tsx";

interface ModalProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly about?: ReactNode;
  readonly wide?: boolean;
  /** Only its own buttons close it: what it shows is shown once. */
  readonly firm?: boolean;
  readonly children: ReactNode;
}

export const Modal = ({ open, onClose, title, about, wide, firm, children }: ModalProps) => (
  <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
    <Dialog.Portal>
      <div className="backdrop" aria-hidden />
      <Dialog.Content
        className={classes("modal", wide && "modal-wide")}
        onOpenAutoFocus={(event) => {
          // To what the dialog is about; its Close button would come first.
          const content = event.currentTarget as HTMLElement;
          const first = content.querySelector<HTMLElement>("input:not([type=checkbox]), .button-primary, .button");
          if (first === null) return;
          event.preventDefault();
          first.focus();
        }}
        onInteractOutside={(event) => firm && event.preventDefault()}
        onEscapeKeyDown={(event) => firm && event.preventDefault()}
        {...(about === undefined ? { "aria-describedby": undefined } : {})}
      >
        <header className="modal-head">
          <Dialog.Title>{title}</Dialog.Title>
          {firm ? null : (
            // Not with a tip: Escape would close that, and leave the dialog open.
            <Dialog.Close asChild>
              <button type="button" className="icon-button" aria-label="Close" title="Close">
                <X size={16} />
              </button>
            </Dialog.Close>
          )}
        </header>
        {about === undefined ? null : <Dialog.Description className="modal-about">{about}</Dialog.Description>}
        {children}
      </Dialog.Content>
    </Dialog.Portal>
  </Dialog.Root>
);

export const Menu = ({
  trigger,
  align = "end",
  children,
}: {
  trigger: ReactNode;
  align?: "start" | "end";
  children: ReactNode;
}) => (
  <DropdownMenu.Root modal={false}>
    <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
    <DropdownMenu.Portal>
      <DropdownMenu.Content className="menu" align={align} sideOffset={6} collisionPadding={8}>
        {children}
      </DropdownMenu.Content>
    </DropdownMenu.Portal>
  </DropdownMenu.Root>
);

/** What can be done with one row of a list. */
export const RowMenu = ({ label, children }: { label: string; children: ReactNode }) => (
  <Menu
    trigger={
      <button type="button" className="icon-button" aria-label={label}>
        <EllipsisVertical size={15} />
      </button>
    }
  >
    {children}
  </Menu>
);

export const MenuItem = ({
  icon,
  keys,
  danger,
  checked,
  disabled,
  onSelect,
  children,
}: {
  icon?: ReactNode;
  keys?: string;
  danger?: boolean;
  checked?: boolean;
  disabled?: boolean;
  onSelect: () => void;
  children: ReactNode;
}) =>
  checked === undefined ? (
    <DropdownMenu.Item
      className={classes("menu-item", danger && "is-danger")}
      {...(disabled === undefined ? {} : { disabled })}
      onSelect={onSelect}
    >
      {icon}
      <span className="grow cut">{children}</span>
      {keys === undefined ? null : <kbd className="key">{keys}</kbd>}
    </DropdownMenu.Item>
  ) : (
    <DropdownMenu.CheckboxItem className="menu-item" checked={checked} onSelect={onSelect}>
      <span className="menu-check">
        <DropdownMenu.ItemIndicator>✓</DropdownMenu.ItemIndicator>
      </span>
      <span className="grow cut">{children}</span>
      {keys === undefined ? null : <kbd className="key">{keys}</kbd>}
    </DropdownMenu.CheckboxItem>
  );

export const MenuLabel = ({ children }: { children: ReactNode }) => (
  <DropdownMenu.Label className="menu-label">{children}</DropdownMenu.Label>
);
export const MenuLine = () => <DropdownMenu.Separator className="menu-line" />;

export const Popover = ({
  open,
  onOpen,
  trigger,
  label,
  align = "end",
  className,
  children,
}: {
  open: boolean;
  onOpen: (open: boolean) => void;
  trigger: ReactNode;
  label: string;
  align?: "start" | "end";
  className?: string;
  children: ReactNode;
}) => (
  <RadixPopover.Root open={open} onOpenChange={onOpen}>
    <RadixPopover.Trigger asChild>{trigger}</RadixPopover.Trigger>
    <RadixPopover.Portal>
      <RadixPopover.Content
        className={classes("popover", className)}
        align={align}
        sideOffset={6}
        collisionPadding={8}
        aria-label={label}
      >
        {children}
      </RadixPopover.Content>
    </RadixPopover.Portal>
  </RadixPopover.Root>
);
