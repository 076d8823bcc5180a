# Writes OUTPUT: a C++ source with every .lua file below ROOT as a raw string (see src/define/definitions.h), and ROOT/defaults.json
# as one (see src/define/config_classes.h).
file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/*.lua)
list(SORT files)
set(entries "")
foreach(file ${files})
  file(READ ${ROOT}/${file} text)
  # A string literal may hold 64 KB; definitions are far smaller, and a larger one fails to compile.
  string(APPEND entries "    {\"${file}\", R\"=lua=(${text})=lua=\"},\n")
endforeach()
file(READ ${ROOT}/defaults.json defaults)
file(WRITE ${OUTPUT} "#include \"define/config_classes.h\"\n#include \"define/definitions.h\"\n\nnamespace cleave::define {\n\n"
  "std::span<const EmbeddedFile> embedded_files() {\n  static constexpr EmbeddedFile kFiles[] = {\n${entries}  };\n"
  "  return kFiles;\n}\n\n"
  "std::string_view embedded_defaults() {\n  return R\"=json=(${defaults})=json=\";\n}\n\n}  // namespace cleave::define\n")
