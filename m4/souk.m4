# SPDX-License-Identifier: Apache-2.0
# souk.m4 - the macros of configure.ac: options, link flags, providers

# SOUK_APPEND_FLAG(VARIABLE, FLAG): add a compiler flag if the compiler takes it
AC_DEFUN([SOUK_APPEND_FLAG],
[AS_VAR_PUSHDEF([souk_cache], [souk_cv_cflag_$2])dnl
AC_CACHE_CHECK([whether $CC accepts $2], [souk_cache],
  [souk_saved_cflags=$CFLAGS
   CFLAGS="$CFLAGS -Werror $2"
   AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
     [AS_VAR_SET([souk_cache], [yes])], [AS_VAR_SET([souk_cache], [no])])
   CFLAGS=$souk_saved_cflags])
AS_VAR_IF([souk_cache], [yes], [$1="$$1 $2"])
AS_VAR_POPDEF([souk_cache])dnl
])

# SOUK_APPEND_LDFLAG(VARIABLE, FLAG): add a flag if a shared object links with it
AC_DEFUN([SOUK_APPEND_LDFLAG],
[AS_VAR_PUSHDEF([souk_cache], [souk_cv_ldflag_$2])dnl
AC_CACHE_CHECK([whether the linker accepts $2], [souk_cache],
  [souk_saved_ldflags=$LDFLAGS
   LDFLAGS="$LDFLAGS $2"
   AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
     [AS_VAR_SET([souk_cache], [yes])], [AS_VAR_SET([souk_cache], [no])])
   LDFLAGS=$souk_saved_ldflags])
AS_VAR_IF([souk_cache], [yes], [$1="$$1 $2"])
AS_VAR_POPDEF([souk_cache])dnl
])

# SOUK_DEVELOPER: the language and its warnings; with --enable-developer they are errors
AC_DEFUN([SOUK_DEVELOPER],
[AC_ARG_ENABLE([developer],
  [AS_HELP_STRING([--enable-developer], [make warnings errors])],
  [], [enable_developer=no])
STD_CFLAGS=-std=gnu11
WARNING_CFLAGS=
SOUK_APPEND_FLAG([WARNING_CFLAGS], [-Wall])
SOUK_APPEND_FLAG([WARNING_CFLAGS], [-Wextra])
SOUK_APPEND_FLAG([WARNING_CFLAGS], [-Wshadow])
SOUK_APPEND_FLAG([WARNING_CFLAGS], [-Wstrict-prototypes])
SOUK_APPEND_FLAG([WARNING_CFLAGS], [-Wmissing-prototypes])
AS_IF([test "x$enable_developer" = xyes], [WARNING_CFLAGS="$WARNING_CFLAGS -Werror"])
AC_SUBST([STD_CFLAGS])
AC_SUBST([WARNING_CFLAGS])
])

# SOUK_SANITIZER: --enable-sanitizer=address,undefined or =thread
AC_DEFUN([SOUK_SANITIZER],
[AC_ARG_ENABLE([sanitizer],
  [AS_HELP_STRING([--enable-sanitizer=LIST], [build with the sanitizers in LIST: address,undefined or thread])],
  [], [enable_sanitizer=no])
SANITIZER_FLAGS=
AS_CASE([$enable_sanitizer],
  [no], [],
  [yes], [AC_MSG_ERROR([--enable-sanitizer needs a list, such as address,undefined])],
  [SANITIZER_FLAGS="-fsanitize=$enable_sanitizer -fno-omit-frame-pointer"
   AS_CASE([,$enable_sanitizer,], [*,undefined,*],
     [SANITIZER_FLAGS="$SANITIZER_FLAGS -fno-sanitize-recover=undefined"])
   souk_saved_cflags=$CFLAGS
   CFLAGS="$CFLAGS $SANITIZER_FLAGS"
   AC_MSG_CHECKING([whether $CC can build with $SANITIZER_FLAGS])
   AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])],
     [AC_MSG_RESULT([no])
      AC_MSG_ERROR([$CC cannot build with --enable-sanitizer=$enable_sanitizer])])
   CFLAGS=$souk_saved_cflags
   AC_DEFINE([SOUK_SANITIZED], [1], [Built with a sanitizer: modules stay loaded, or reports lose their names.])])
AC_SUBST([SANITIZER_FLAGS])
AM_CONDITIONAL([SANITIZER], [test "x$enable_sanitizer" != xno])
])

# SOUK_LINKER: what every link gets, and what a module gets besides. With a sanitizer the
# run-time library is in the program, so that shared objects have undefined symbols.
AC_DEFUN([SOUK_LINKER],
[HARDEN_LINK_FLAGS=
MODULE_LINK_FLAGS=
SOUK_APPEND_LDFLAG([HARDEN_LINK_FLAGS], [-Wl,-z,relro])
SOUK_APPEND_LDFLAG([HARDEN_LINK_FLAGS], [-Wl,-O1])
SOUK_APPEND_LDFLAG([HARDEN_LINK_FLAGS], [-Wl,--as-needed])
SOUK_APPEND_LDFLAG([MODULE_LINK_FLAGS], [-Wl,-z,now])
AS_IF([test "x$enable_sanitizer" = xno],
  [SOUK_APPEND_LDFLAG([HARDEN_LINK_FLAGS], [-Wl,-z,defs])])
AC_SUBST([HARDEN_LINK_FLAGS])
AC_SUBST([MODULE_LINK_FLAGS])
VISIBILITY_CFLAGS=
SOUK_APPEND_FLAG([VISIBILITY_CFLAGS], [-fvisibility=hidden])
AC_SUBST([VISIBILITY_CFLAGS])
LIBRARY_CFLAGS=
SOUK_APPEND_FLAG([LIBRARY_CFLAGS], [-fno-semantic-interposition])
AC_SUBST([LIBRARY_CFLAGS])
])

# SOUK_CHECK: the unit test library
AC_DEFUN([SOUK_CHECK],
[AC_ARG_WITH([check],
  [AS_HELP_STRING([--with-check], [build the unit tests, which need the library Check [auto]])],
  [], [with_check=auto])
CHECK_CFLAGS= CHECK_LIBS=
souk_have_check=no
AS_IF([test "x$with_check" != xno],
  [PKG_CHECK_EXISTS([check >= 0.12],
     [PKG_CHECK_MODULES([CHECK], [check >= 0.12])
      souk_have_check=yes],
     [AS_IF([test "x$with_check" = xyes], [AC_MSG_ERROR([--with-check: missing check])])])])
AC_SUBST([CHECK_CFLAGS])
AC_SUBST([CHECK_LIBS])
AM_CONDITIONAL([HAVE_CHECK], [test "x$souk_have_check" = xyes])
])

# SOUK_SCDOC: man pages are made with scdoc; a tarball has them made
AC_DEFUN([SOUK_SCDOC],
[AC_ARG_WITH([man],
  [AS_HELP_STRING([--with-man], [install the man pages, which are made with scdoc [auto]])],
  [], [with_man=auto])
AC_PATH_PROG([SCDOC], [scdoc], [])
AS_IF([test "x$with_man" = xno], [souk_man_pages="no"],
  [test -n "$SCDOC"], [souk_man_pages="made with $SCDOC"],
  [test -f "$srcdir/man/souk.1"], [souk_man_pages="those of the tarball"],
  [test "x$with_man" = xyes], [AC_MSG_ERROR([--with-man: missing scdoc])],
  [souk_man_pages="no, missing scdoc"])
AM_CONDITIONAL([BUILD_MAN], [case $souk_man_pages in no*) false ;; esac])
])

# SOUK_PROVIDER(NAME, PKG-CONFIG MODULES WITH COMMAS): --enable-NAME=auto|yes|no
AC_DEFUN([SOUK_PROVIDER],
[m4_pushdef([souk_NAME], [m4_toupper(m4_translit([$1], [-], [_]))])dnl
AC_ARG_ENABLE([$1],
  [AS_HELP_STRING([--enable-$1=auto|yes|no], [build the provider $1 [auto]])],
  [], [enable_$1=auto])
souk_why=
PROVIDER_[]souk_NAME[]_CFLAGS=
PROVIDER_[]souk_NAME[]_LIBS=
AS_CASE([$enable_$1],
  [no], [souk_why="disabled"],
  [yes|auto],
  [AS_IF([test -f "$srcdir/providers/$1/local.mk"], [], [souk_why="missing providers/$1"])
   m4_if([$2], [], [],
  [m4_foreach([souk_module], [$2],
    [PKG_CHECK_EXISTS([souk_module], [], [souk_why="${souk_why:+$souk_why, }missing souk_module"])
])
   AS_IF([test -z "$souk_why"],
     [PROVIDER_[]souk_NAME[]_CFLAGS=$($PKG_CONFIG --cflags "m4_bpatsubst([$2], [,], [ ])")
      PROVIDER_[]souk_NAME[]_LIBS=$($PKG_CONFIG --libs "m4_bpatsubst([$2], [,], [ ])")])])
   AS_IF([test "x$enable_$1" = xyes && test -n "$souk_why"],
     [AC_MSG_ERROR([--enable-$1: $souk_why])])],
  [AC_MSG_ERROR([--enable-$1=$enable_$1: not auto, yes or no])])
AC_SUBST(PROVIDER_[]souk_NAME[]_CFLAGS)
AC_SUBST(PROVIDER_[]souk_NAME[]_LIBS)
AM_CONDITIONAL(BUILD_PROVIDER_[]souk_NAME, [test -z "$souk_why"])
AS_IF([test -z "$souk_why"],
  [souk_provider_summary="$souk_provider_summary
    $1:           yes $PROVIDER_[]souk_NAME[]_LIBS"],
  [souk_provider_summary="$souk_provider_summary
    $1:           no, $souk_why"])
m4_popdef([souk_NAME])dnl
])
