/** The tables in ClickHouse and who may do what with them. */
export * from "./migrate.ts";
export * from "./own.ts";
export * from "./users.ts";
