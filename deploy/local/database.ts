/** Makes a Postgres database unless it is there; gives the URL that opens it. */
import { Client } from "pg";

export const makeDatabase = async (adminUrl: string, name: string): Promise<string> => {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name))
    throw new Error(`"${name}" is no name for a database: use a-z, 0-9 and _, at most 63.`);
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
};
