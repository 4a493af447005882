# shellcheck shell=bash
# Odoo 19 Community from Debian's package "odoo-19" (suite sid), and the JavaScript and fonts its web client links to
# (suite trixie: in sid and bookworm some of those links dangle), unpacked into $HOME_DIR/root.
ODOO_ROOT=$HOME_DIR/root
ODOO_PATH=$ODOO_ROOT/usr/lib/python3/dist-packages
LANGUAGES=${ODOO_LANGUAGES:-fr}

provision_odoo() {
  local stamp=$HOME_DIR/odoo.stamp a want dest file lang side only=()
  # Debian drops a package once its successor arrives; what was unpacked stays good, so the archive is asked only when needed
  if [ -e "$stamp" ] && [ "$(tail -1 "$stamp")" = "$LANGUAGES" ]; then return; fi
  a=$(debian_apt odoo all sid trixie)
  want=$(apt-cache -c "$a/apt.conf" madison odoo-19 | awk '{print $3; exit}')
  [ -n "$want" ] || die "Debian no longer has odoo-19: copy .odoo/root and .odoo/odoo.stamp from an earlier checkout, or use docker/"
  side=(libjs-jquery libjs-jquery-form libjs-underscore fonts-font-awesome fonts-roboto-unhinted
        fonts-montserrat fonts-inconsolata fonts-ocr-b fonts-glyphicons-halflings)
  (cd "$a/archives" && apt-get -qq -c "$a/apt.conf" download "odoo-19=$want" "${side[@]/%//trixie}" >&2) ||
    die "Odoo could not be downloaded (see above); run the command again to go on"
  dest=$HOME_DIR/root.new
  rm -rf "$dest"; mkdir "$dest"
  for lang in $LANGUAGES; do only+=("./usr/lib/python3/dist-packages/odoo/addons/*/i18n*/$lang.po"); done
  for file in "$a"/archives/*.deb; do
    case $file in
      */odoo-19_*)
        # dist-packages/addons is a second copy with .py files only; the translations are two thirds of the package
        unpack "$file" "$dest" --exclude=./usr/lib/python3/dist-packages/{addons,setup,doc} --exclude='*.po'
        unpack "$file" "$dest" --wildcards "${only[@]}" ;;
      *) unpack "$file" "$dest" ;;
    esac
  done
  # left out by Debian for its licence; without the file the web client logs an error (only the blur of video calls is lost)
  file=$dest/usr/lib/python3/dist-packages/odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js
  [ -e "$file" ] || { mkdir -p "$(dirname "$file")"; echo '/* not in Debian */' >"$file"; }
  [ -z "$(find "$dest/usr/lib" -xtype l)" ] || die "the unpacked Odoo has dangling links: $(find "$dest/usr/lib" -xtype l | head -3)"
  rm -rf "$ODOO_ROOT"; mv "$dest" "$ODOO_ROOT"
  rm -f "$a"/archives/*.deb
  printf '%s\n%s\n' "$want" "$LANGUAGES" >"$stamp"
}
