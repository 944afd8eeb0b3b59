# Writes a C++ file that holds the text of the given files: cmake -DOUTPUT=... -DINPUTS=a;b -P embed.cmake
set(TEXT "// Generated from frontend/std; the library text is read from there.\n#include \"frontend/standard_library.h\"\n\nnamespace gradc {\n\nconst std::vector<SourceText>& standard_library() {\n  static const std::vector<SourceText> files = {\n")
foreach(FILE ${INPUTS})
  get_filename_component(NAME ${FILE} NAME)
  file(READ ${FILE} CONTENT)
  string(APPEND TEXT "      {\"std/${NAME}\", R\"GRADC_TEXT(${CONTENT})GRADC_TEXT\"},\n")
endforeach()
string(APPEND TEXT "  };\n  return files;\n}\n\n}  // namespace gradc\n")
file(WRITE ${OUTPUT} "${TEXT}")
