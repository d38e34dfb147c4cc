/** Buttons, inputs and small signs. Every icon button has a name for those who cannot see it. */
import { Check, Copy as CopyIcon, LoaderCircle } from "lucide-react";
import { Tooltip } from "radix-ui";
import {
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
  type Ref,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";

export const classes = (...names: (string | false | undefined | null)[]): string => names.filter(Boolean).join(" ");

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: "primary" | "plain" | "quiet" | "danger";
  readonly small?: boolean;
  readonly icon?: ReactNode;
  readonly busy?: boolean;
  readonly ref?: Ref<HTMLButtonElement>;
}

export const Button = ({ look = "plain", small, icon, busy, children, className, ...rest }: ButtonProps) => (
  <button
    type="button"
    {...rest}
    className={classes("button", `button-${look}`, small && "button-small", className)}
    aria-busy={busy || undefined}
    disabled={rest.disabled || busy}
  >
    {busy ? <LoaderCircle size={15} className="turning" aria-hidden /> : icon}
    {children}
  </button>
);

export const Tip = ({ text, keys, children }: { text: ReactNode; keys?: string | undefined; children: ReactNode }) => (
  <Tooltip.Root>
    <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
    <Tooltip.Portal>
      <Tooltip.Content className="tip" sideOffset={6} collisionPadding={8}>
        {text}
        {keys === undefined ? null : <kbd className="key">{keys}</kbd>}
      </Tooltip.Content>
    </Tooltip.Portal>
  </Tooltip.Root>
);

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly label: string;
  readonly keys?: string;
  readonly on?: boolean | undefined;
  readonly ref?: Ref<HTMLButtonElement>;
}

export const IconButton = ({ label, keys, on, className, children, ...rest }: IconButtonProps) => (
  <Tip text={label} keys={keys}>
    <button
      type="button"
      aria-label={label}
      {...(on === undefined ? {} : { "aria-pressed": on })}
      {...rest}
      className={classes("icon-button", on && "is-on", className)}
    >
      {children}
    </button>
  </Tip>
);

interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly children: (ids: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean;
  }) => ReactNode;
}

/** A label, its control, and below it what helps or what is wrong. */
export const Field = ({ label, hint, error, children }: FieldProps) => {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        "aria-describedby": note === undefined ? undefined : `${id}-note`,
        "aria-invalid": error !== undefined,
      })}
      {note === undefined ? null : (
        <p id={`${id}-note`} className={classes("field-note", error !== undefined && "is-wrong")}>
          {note}
        </p>
      )}
    </div>
  );
};

export const Input = ({
  className,
  ...rest
}: InputHTMLAttributes<HTMLInputElement> & { ref?: Ref<HTMLInputElement> }) => (
  <input autoComplete="off" spellCheck={false} {...rest} className={classes("input", className)} />
);

/** Copies, and says so in place for a moment. */
export const useCopied = (): [boolean, (text: string) => void] => {
  const [copied, setCopied] = useState(false);
  const timer = useRef<number>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = (text: string): void => {
    void navigator.clipboard.writeText(text).then(
      () => {
        setCopied(true);
        clearTimeout(timer.current);
        timer.current = window.setTimeout(() => setCopied(false), 1600);
      },
      () => setCopied(false),
    );
  };
  return [copied, copy];
};

export const CopyButton = ({
  text,
  label = "Copy",
  small = true,
}: {
  text: string;
  label?: string;
  small?: boolean;
}) => {
  const [copied, copy] = useCopied();
  return (
    <Button small={small} onClick={() => copy(text)} icon={copied ? <Check size={14} /> : <CopyIcon size={14} />}>
      <span aria-live="polite">{copied ? "Copied" : label}</span>
    </Button>
  );
};

export const CopyIconButton = ({ text, label }: { text: string; label: string }) => {
  const [copied, copy] = useCopied();
  return (
    <IconButton label={copied ? "Copied" : label} onClick={() => copy(text)}>
      {copied ? <Check size={14} /> : <CopyIcon size={14} />}
    </IconButton>
  );
};
