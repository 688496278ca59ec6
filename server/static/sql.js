// Ctrl or Cmd with Enter runs the query; without scripts the button does.
document.getElementById("q").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});
document.getElementById("keys").hidden = false;
