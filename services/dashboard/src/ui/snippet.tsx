import { CopyButton } from "./controls.tsx";

/** Text to take along as it is: lines keep their shape and scroll, and the button never lies on them. */
export const Snippet = ({ text }: { text: string }) => (
  <div className="snippet">
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard must reach that. */}
    <pre tabIndex={0}>{text}</pre>
    <CopyButton text={text} />
  </div>
);
