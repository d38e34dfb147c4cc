/** The query key that opens the page: in this tab's session storage and in the Authorization header, never in an address. */
const store = "astralog.query-key";

export const readKey = (): string | null => sessionStorage.getItem(store);
export const setKey = (key: string): void => sessionStorage.setItem(store, key);
export const forgetKey = (): void => {
  sessionStorage.removeItem(store);
  location.reload();
};
