# SPDX-License-Identifier: Apache-2.0
# FLASHSTEP_NVCC: the compiler. FLASHSTEP_NVCC_RELEASE: its release, empty where it is older than 12.4 or makes no program
# of the smallest source here (a host compiler that it does not know, a package without the runtime).
find_program(FLASHSTEP_NVCC nvcc HINTS ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
set(FLASHSTEP_NVCC_RELEASE "")
if(FLASHSTEP_NVCC)
    execute_process(COMMAND ${FLASHSTEP_NVCC} --version OUTPUT_VARIABLE said ERROR_QUIET)
    if(said MATCHES "release ([0-9]+\\.[0-9]+)")
        set(FLASHSTEP_NVCC_RELEASE ${CMAKE_MATCH_1})
    endif()
    if(FLASHSTEP_NVCC_RELEASE VERSION_LESS 12.4)
        set(FLASHSTEP_NVCC_RELEASE "")
    elseif(NOT FLASHSTEP_NVCC_TRIED STREQUAL "${FLASHSTEP_NVCC} ${FLASHSTEP_NVCC_RELEASE} works")
        set(try ${PROJECT_BINARY_DIR}/CMakeFiles/try_nvcc)
        file(WRITE ${try}.cu "#include <string>\n__global__ void nothing() { }\nint main() { nothing<<<1, 1>>>(); }\n")
        execute_process(COMMAND ${FLASHSTEP_NVCC} -std=c++17 -gencode arch=compute_80,code=sm_80 -cudart static ${try}.cu
            -o ${try} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
        if(failed)
            set(FLASHSTEP_NVCC_RELEASE "")
        else()
            set(FLASHSTEP_NVCC_TRIED "${FLASHSTEP_NVCC} ${FLASHSTEP_NVCC_RELEASE} works" CACHE INTERNAL "")
        endif()
    endif()
endif()
