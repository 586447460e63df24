// A sign-in link carries its code behind the #, which no server on the way sees. It is used once, and leaves the address.
if (location.pathname === "/sign-in" && location.hash.startsWith("#gsc_")) {
  const key = document.getElementById("key");
  key.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  key.form.submit();
}
