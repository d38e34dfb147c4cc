/** docs/query-language.md as a page: the same words, and every example opens in Explore. */
import { Link } from "wouter";
import reference from "../../../../docs/query-language.md?raw";
import "./help.css";
import { type Block, blocksOf, codePieces } from "./page-blocks.ts";

const blocks = blocksOf(reference);

const Text = ({ text }: { text: string }) =>
  codePieces(text).map((piece, i) =>
    i % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the page is constant.
      <code key={i}>{piece}</code>
    ) : (
      piece
    ),
  );

const Examples = ({ lines }: { lines: readonly string[] }) => (
  <ul className="reference-examples">
    {lines.map((line) => (
      <li key={line}>
        <Link className="mono" href={`/explore?q=${encodeURIComponent(line)}`}>
          {line}
        </Link>
      </li>
    ))}
  </ul>
);

const Rows = ({ rows: [heads = [], ...rows] }: { rows: readonly (readonly string[])[] }) => (
  <div className="reference-table">
    <table>
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row[0]}>
            {row.map((cell) => (
              <td key={cell}>
                <Text text={cell} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

const Shown = ({ block }: { block: Block }) => {
  switch (block.kind) {
    case "heading":
      return block.level === 1 ? <h1>{block.text}</h1> : <h2>{block.text}</h2>;
    case "paragraph":
      return (
        <p>
          <Text text={block.text} />
        </p>
      );
    case "examples":
      return <Examples lines={block.lines} />;
    case "table":
      return <Rows rows={block.rows} />;
  }
};

export const QueryReference = () => (
  <article className="reference">
    {blocks.map((block, i) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: the page is constant.
      <Shown key={i} block={block} />
    ))}
  </article>
);
