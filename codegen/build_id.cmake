# Writes OUTPUT: the definition of kBuildId, from PREFIX and the contents of the files in INPUTS.
set(HASHES "")
foreach(INPUT ${INPUTS})
  file(SHA256 ${INPUT} HASH)
  string(APPEND HASHES ${HASH})
endforeach()
string(SHA256 HASH "${HASHES}")
string(SUBSTRING ${HASH} 0 16 SHORT)
file(WRITE ${OUTPUT} "// Made by codegen/build_id.cmake.
#include \"codegen/build_id.h\"

const char* const gradc::kBuildId = \"${PREFIX}, build ${SHORT}\";
")
