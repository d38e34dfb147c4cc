/**
 * After an upgrade the parts that an open tab has not loaded yet are gone: the server has those of the new version. The tab
 * is loaded anew where it stands, for all of its state is in the address. Not twice in a minute: a part that stays away has
 * another reason, and then the page says so.
 */
const keptAs = "astralog.renewed";
const notAgainMs = 60_000;

window.addEventListener("vite:preloadError", (event) => {
  if (Date.now() - Number(sessionStorage.getItem(keptAs) ?? 0) < notAgainMs) return;
  sessionStorage.setItem(keptAs, String(Date.now()));
  event.preventDefault();
  window.location.reload();
});
